using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts;

namespace PersonaActors.Gateway.Http;

/// <summary>What flies becomes an answer here: bad input says what was bad, a lost database says when to come back, a bug says nothing.</summary>
public sealed class Failures(RequestDelegate next, GatewayOptions options, Clock time, ILogger<Failures> log)
{
    public Task Invoke(HttpContext http)
    {
        Task first;
        try
        {
            first = next(http);
        }
        catch (Exception e)
        {
            first = Task.FromException(e);
        }

        // Most are answered by now, and need nobody who waits for them.
        return first.IsCompletedSuccessfully ? Unrouted(http) : Watch(http, first);
    }

    private async Task Watch(HttpContext http, Task first)
    {
        try
        {
            await (HttpMethods.IsGet(http.Request.Method) ? Read(http, first) : first);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client is gone; there is nobody to answer.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            http.Response.Clear();
            await Answer(http, e);
            return;
        }

        await Unrouted(http);
    }

    /// <summary>A read that met a node on its way out is simply read again; commands see to that themselves, by their ids.</summary>
    private async Task Read(HttpContext http, Task reading)
    {
        var since = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await reading;
                return;
            }
            catch (Exception e) when (!http.Response.HasStarted && options.IsEngineTransient(e) && time.GetElapsedTime(since) < Commands.Patience)
            {
                http.Response.Clear();
                await Task.Delay(Commands.Pause(attempt), time, http.RequestAborted);
                reading = next(http);
            }
        }
    }

    private static Task Unrouted(HttpContext http) => http.Response.HasStarted ? Task.CompletedTask : http.Response.StatusCode switch
    {
        404 => Problems.Write(http, 404, "route_not_found", "There is no such route."),
        405 => Problems.Write(http, 405, "method_not_allowed", "The route exists, but not for this method."),
        400 => Problems.Write(http, 400, "bad_request", "The request can't be understood: a parameter or the body is missing or of the wrong form."),
        413 => Problems.Write(http, 413, "body_too_large", "The body is larger than this route takes."),
        415 => Problems.Write(http, 415, "unsupported_media_type", "Send the body as application/json."),
        _ => Task.CompletedTask,
    };

    private Task Answer(HttpContext http, Exception e)
    {
        switch (e)
        {
            case BadHttpRequestException { InnerException: JsonException json }:
                return Json(http, json);
            case JsonException json:
                return Json(http, json);
            case BadHttpRequestException { StatusCode: 413 }:
                return Problems.Write(http, 413, "body_too_large", "The body is larger than this route takes.");
            case BadHttpRequestException { StatusCode: 415 }:
                return Problems.Write(http, 415, "unsupported_media_type", "Send the body as application/json.");
            case BadHttpRequestException bad:
                return Problems.Write(http, bad.StatusCode, "bad_request", "The request can't be understood: a parameter or the body is missing or of the wrong form.");
            case StorageUnavailableException or ActivationOutdatedException:
                log.LogWarning("Unavailable: {Reason}", e.Message);
                return Unavailable(http, "database_unavailable", "The database can't be reached at the moment; nothing that was acknowledged is lost. Try again.");
            case TimeoutException:
                log.LogWarning("Timed out: {Reason}", e.Message);
                return Unavailable(http, "timeout", "The answer took too long. Try again with the same Idempotency-Key.");
            case var _ when options.IsEngineTransient(e):
                log.LogWarning("The engine is rearranging itself: {Reason}", e.Message);
                return Unavailable(http, "unavailable", "A node went away while it answered. Try again with the same Idempotency-Key.");
            default:
                log.LogError(e, "Unexpected failure of {Method} {Route}", http.Request.Method, http.GetEndpoint()?.DisplayName);
                return Problems.Write(http, 500, "internal_error", "Something went wrong here; it was logged.");
        }
    }

    private static Task Unavailable(HttpContext http, string code, string detail)
    {
        http.Response.Headers.RetryAfter = "1";
        return Problems.Write(http, 503, code, detail);
    }

    private static Task Json(HttpContext http, JsonException e)
    {
        if (e.InnerException is JsonException || e.InnerException is { InnerException: System.Text.DecoderFallbackException })
        {
            return Problems.Write(http, 400, "invalid_json", "The body is no JSON, or not in UTF-8.");
        }

        var field = Field(NestedJson.PathOf(e));
        if (e.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return Problems.Write(http, 400, "unknown_field", $"The field '{field}' is not known here.", field);
        }

        return field is null
            ? Problems.Write(http, 400, "invalid_json", "The body is no JSON of the expected form.")
            : Problems.Write(http, 400, "invalid_field", $"The field '{field}' is missing or has a value of the wrong type.", field);
    }

    /// <summary><c>$.identities[0].subject</c> without its root; the serializer names what is missing as the type does, so names are brought to ours.</summary>
    private static string? Field(string? path) =>
        path is { Length: > 2 } && path.StartsWith("$.", StringComparison.Ordinal)
            ? string.Join('.', path[2..].Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName))
            : null;
}
