using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using PersonaActors.Gateway.PersonaKit;

namespace PersonaActors.Gateway.Http;

/// <summary>The one translation of refusals and failures to RFC 9457 problem details. Nothing internal leaves here.</summary>
public static class Problems
{
    public static IResult ToResult(this Refusal refusal) => Results.Problem(Of(refusal));

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

    public static Task Write(HttpContext http, Refusal refusal) => Write(http, Of(refusal));

    public static Task Write(HttpContext http, ProblemDetails problem)
    {
        if (WireAnswers.IsFor(http))
        {
            return WireAnswers.Write(http, problem);
        }

        http.Response.StatusCode = problem.Status!.Value;
        return http.Response.WriteAsJsonAsync(problem, Wire.Json, "application/problem+json");
    }

    public static ProblemDetails Of(int status, string code, string detail, string? field = null)
    {
        var problem = new ProblemDetails { Type = "about:blank", Title = ReasonPhrases.GetReasonPhrase(status), Status = status, Detail = detail };
        problem.Extensions["code"] = code;
        if (field is not null)
        {
            problem.Extensions["field"] = field;
        }

        return problem;
    }

    public static ProblemDetails WrongForm(string parameter) => Of(StatusCodes.Status400BadRequest, "invalid_field", $"'{parameter}' has a value of the wrong form.", parameter);

    /// <summary>What the framework refused by its status alone.</summary>
    public static ProblemDetails Of(int status) => status switch
    {
        400 => Of(status, "bad_request", "The request can't be understood: a parameter or the body is missing or of the wrong form."),
        404 => Of(status, "route_not_found", "There is no such route."),
        405 => Of(status, "method_not_allowed", "The route exists, but not for this method."),
        413 => Of(status, "body_too_large", "The body is larger than this route takes."),
        415 => Of(status, "unsupported_media_type", "Send the body as application/json, in UTF-8."),
        429 => Of(status, "too_many_requests", "These are more requests than allowed: wait as Retry-After says."),
        < 500 => Of(status, "request_refused", "The request can't be served as it is."),
        _ => Of(status, "internal_error", "Something went wrong here; it was logged."),
    };

    private static ProblemDetails Of(Refusal refusal)
    {
        var problem = Of(Status(refusal.Kind), refusal.Code, refusal.Detail, refusal.Field);
        foreach (var (name, value) in refusal.Extra is { } extra ? JsonNode.Parse(extra.Json)!.AsObject() : [])
        {
            problem.Extensions[name] = value;
        }

        return problem;
    }
}

/// <summary>Instead of the stock writer, which says nothing to who accepts no JSON: an EventSource shall learn too why.</summary>
public sealed class ProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public ValueTask WriteAsync(ProblemDetailsContext context) => new(Problems.Write(
        context.HttpContext, context.ProblemDetails.Extensions.ContainsKey("code") ? context.ProblemDetails : OfStatus(context.HttpContext)));

    private static ProblemDetails OfStatus(HttpContext http) => http.Response.StatusCode == StatusCodes.Status400BadRequest && Unread(http) is { } name
        ? Problems.WrongForm(name)
        : Problems.Of(http.Response.StatusCode);

    /// <summary>A parameter that may be left out and has the wrong form: the framework answers the status, and doesn't say which it was.</summary>
    private static string? Unread(HttpContext http) => http.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>().FirstOrDefault(parameter =>
        parameter.HasTryParse && http.Request.Query[parameter.Name] is [{ Length: > 0 } text, ..]
        && !TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(parameter.ParameterInfo.ParameterType) ?? parameter.ParameterInfo.ParameterType).IsValid(text))?.Name;
}
