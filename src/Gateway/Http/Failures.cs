using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Npgsql;
using PersonaActors.Grains;
using PersonaActors.Storage;

namespace PersonaActors.Gateway.Http;

/// <summary>What flies becomes an answer here: bad input says what was bad, a lost database says when to come back, a bug says nothing.</summary>
public sealed partial class Failures(ILogger<Failures> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = Problem(httpContext, httpContext.Features.Get<IExceptionHandlerFeature>()?.Endpoint, exception);
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            httpContext.Response.Headers.RetryAfter = "1";
        }

        await Problems.Write(httpContext, problem);
        return true;
    }

    private ProblemDetails Problem(HttpContext http, Endpoint? endpoint, Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException { InnerException: JsonException json }:
                return BadJson.Explain(json, endpoint?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType);
            // The framework names the parameter in its words alone.
            case BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } bad when Unbound().Match(bad.Message) is { Success: true } unbound:
                return Problems.WrongForm(unbound.Groups["name"].Value);
            case BadHttpRequestException bad:
                return Problems.Of(bad.StatusCode);
            case PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } or EncoderFallbackException:
                return Problems.Of(StatusCodes.Status400BadRequest, "bad_request", "A text of the request has a character that is no text.");
            // How the framework says it of a body's charset, which no other exception tells.
            case InvalidOperationException when endpoint?.Metadata.GetMetadata<IAcceptsMetadata>() is not null && HasForeignCharset(http.Request):
                return Problems.Of(StatusCodes.Status415UnsupportedMediaType);
            case var _ when exception.MeansOutage() || exception is ActivationOutdatedException:
                // Each part that waits for the database has said so; a request that met it says no more than its answer.
                log.LogDebug("Unavailable: {Reason}", exception.Message);
                return Unavailable("database_unavailable", "The database can't be reached at the moment; nothing that was acknowledged is lost. Try again.");
            case TimeoutException:
                log.LogWarning("Timed out: {Reason}", exception.Message);
                return Unavailable("timeout", "The answer took too long. Try again with the same Idempotency-Key.");
            case var _ when exception.MetLeavingSilo():
                log.LogWarning("The engine is rearranging itself: {Reason}", exception.Message);
                return Unavailable("unavailable", "A node went away while it answered. Try again with the same Idempotency-Key.");
            default:
                log.LogError(exception, "Unexpected failure of {Method} {Route}", http.Request.Method, endpoint?.DisplayName);
                return Problems.Of(StatusCodes.Status500InternalServerError);
        }
    }

    private static ProblemDetails Unavailable(string code, string detail) => Problems.Of(StatusCodes.Status503ServiceUnavailable, code, detail);

    [GeneratedRegex("^Failed to bind parameter \"[^\"]+ (?<name>\\w+)\"")]
    private static partial Regex Unbound();

    private static bool HasForeignCharset(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.Charset.HasValue && type.Encoding is null;
}
