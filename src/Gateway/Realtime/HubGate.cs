using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Realtime;

/// <summary>Stands before the hub: finds out for whom the connection will listen, and keeps foreign pages out, whom CORS doesn't keep from WebSockets.</summary>
public sealed class HubGate(RequestDelegate next, ActingResolver who, GatewayOptions options)
{
    private static readonly Refusal ForeignOrigin = Refusal.Forbidden("origin_not_allowed", "Pages of this origin may not connect: name it in the setting AllowedOrigins.");

    public Task Invoke(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<Microsoft.AspNetCore.SignalR.HubMetadata>() is null || HttpMethods.IsOptions(http.Request.Method)
            ? next(http)
            : Admit(http);

    private async Task Admit(HttpContext http)
    {
        var origin = http.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && !options.AllowedOrigins.Contains(origin) && origin != $"{http.Request.Scheme}://{http.Request.Host}")
        {
            await Problems.Write(http, ForeignOrigin);
            return;
        }

        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            await Problems.Write(http, refusal);
            return;
        }

        http.SetActing(acting!);
        await next(http);
    }
}

internal static class ActingOfConnection
{
    private static readonly object Key = new();

    public static Acting Acting(this HttpContext http) => (Acting)http.Items[Key]!;

    public static void SetActing(this HttpContext http, Acting acting) => http.Items[Key] = acting;
}
