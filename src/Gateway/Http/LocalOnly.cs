using System.Net;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using PersonaActors.Gateway.PersonaKit;

namespace PersonaActors.Gateway.Http;

/// <summary>
/// With auth off the server listens on this machine only, but so do its browsers, whose pages come from anywhere. A page that
/// isn't ours is known by its origin; one whose name was made to mean this machine, by the host; and what a page may send
/// without asking first is anything but JSON.
/// </summary>
public sealed class LocalOnly(RequestDelegate next, GatewayOptions options)
{
    private static readonly Refusal ForeignHost = Refusal.Forbidden(
        "host_not_allowed", "With auth off this server answers to localhost, 127.0.0.1 and [::1] only.");

    public static readonly Refusal ForeignOrigin = Refusal.Forbidden(
        "origin_not_allowed", "Pages of this origin may not connect: name it in the setting AllowedOrigins.");

    public Task Invoke(HttpContext http) =>
        !IsLocal(http.Request.Host.Host) ? Problems.Write(http, ForeignHost)
        : !IsOwn(http.Request, options) ? Problems.Write(http, ForeignOrigin)
        : HasForeignBody(http.Request) ? Problems.Write(http, Problems.Of(StatusCodes.Status415UnsupportedMediaType))
        : next(http);

    /// <summary>No page, one of ours, or one that the operator named.</summary>
    public static bool IsOwn(HttpRequest request, GatewayOptions options) =>
        request.Headers.Origin.ToString() is not { Length: > 0 } origin
        || origin == $"{request.Scheme}://{request.Host}" || options.AllowedOrigins.Contains(origin);

    private static bool IsLocal(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>What a page of another origin may not send without asking first.</summary>
    private static bool IsAskedFor(StringSegment type) =>
        type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Equals("application/yaml", StringComparison.OrdinalIgnoreCase);

    private static bool HasForeignBody(HttpRequest request) =>
        (request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0)
        && !(MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && IsAskedFor(type.MediaType))
        // A file comes as a form with PersonaKit's clients, which are no pages: those name their origin.
        && !WireAnswers.IsUpload(request)
        // What SignalR's transports send isn't named by those that send it; their origin is ours.
        && !request.Path.StartsWithSegments("/hubs");
}
