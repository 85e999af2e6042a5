using PersonaActors.Gateway.Health;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>
/// The surface of PersonaKit's first server, for clients that know no other: each resource at three places, with and without a
/// slash at its end, never by a redirect. They aren't in the API's document: who begins anew uses the native ones.
/// </summary>
public static class WireRoutes
{
    private static readonly string[] Places = ["", "/api", "/api/v1"];

    public static void MapPersonaKit(this IEndpointRouteBuilder all)
    {
        foreach (var place in Places)
        {
            var routes = all.MapGroup(WireAnswers.Prefix + place).ExcludeFromDescription();
            routes.MapGet("/health", (Clock time) => WireAnswers.Json(new { status = "healthy", service = "PersonaKit", version = "0.1.0", timestamp = time.GetUtcNow() })).AllowAnonymous();
            routes.MapGet("/health/ready", Ready).AllowAnonymous();
            routes.MapWireObservations();
            routes.MapWireMindscapes();
            routes.MapWirePersonas();
            routes.MapWireFeedback();
            routes.MapWireMappers();
            routes.MapWireNarratives();
            routes.MapWireUsers();
        }
    }

    private static async Task<IResult> Ready(HttpContext http, Readiness readiness, Clock time)
    {
        var isReady = (await readiness.Missing(http.RequestAborted)).Count == 0;
        http.Response.StatusCode = isReady ? 200 : 503;
        return WireAnswers.Json(new { status = isReady ? "ready" : "not ready", database = isReady ? "connected" : "disconnected", timestamp = time.GetUtcNow() });
    }
}
