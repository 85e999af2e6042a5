using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;

namespace PersonaActors.Gateway.Http;

/// <summary>The one translation of refusals and failures to RFC 9457 problem details. Nothing internal leaves here.</summary>
public static class Problems
{
    private const string MediaType = "application/problem+json";

    public static IResult ToResult(this Refusal refusal) => new ProblemResult(refusal);

    public static int Status(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status400BadRequest,
        RefusalKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Conflict => StatusCodes.Status409Conflict,
        RefusalKind.Gone => StatusCodes.Status410Gone,
        RefusalKind.Stale => StatusCodes.Status412PreconditionFailed,
        RefusalKind.Unprocessable => StatusCodes.Status422UnprocessableEntity,
        RefusalKind.TooMany => StatusCodes.Status429TooManyRequests,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public static Task Write(HttpContext http, Refusal refusal)
    {
        if (refusal.Kind == RefusalKind.Unauthenticated)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return Write(http, Status(refusal.Kind), refusal.Code, refusal.Detail, refusal.Field, refusal.Extra);
    }

    public static Task Write(HttpContext http, int status, string code, string detail, string? field = null, JsonText? extra = null)
    {
        var body = new JsonObject
        {
            ["type"] = "about:blank",
            ["title"] = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
            ["status"] = status,
            ["code"] = code,
            ["detail"] = detail,
        };
        if (field is not null)
        {
            body["field"] = field;
        }

        if (extra is not null)
        {
            foreach (var (name, value) in JsonNode.Parse(extra.Json)!.AsObject())
            {
                body[name] = value?.DeepClone();
            }
        }

        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(body, Wire.Json, MediaType);
    }

    private sealed class ProblemResult(Refusal refusal) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Write(httpContext, refusal);
    }
}
