using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>What real time is made of. A subject that has streams adds a line to <see cref="AddStreams"/>.</summary>
public static class RealtimeComposition
{
    private const long MaxMessage = 256 * 1024;

    public static void AddRealtime(this IServiceCollection services)
    {
        services.AddSingleton<StreamDirectory>();
        services.AddSingleton<ConnectionRoster>();
        services.AddSingleton<EventPump>();
        services.AddHostedService(provider => provider.GetRequiredService<EventPump>());
        services.AddSingleton<HubLifetimeManager<PersonaHub>, HubConnections>();
        services.AddSignalR(hub => hub.MaximumReceiveMessageSize = MaxMessage)
            .AddJsonProtocol(json => json.PayloadSerializerOptions = new JsonSerializerOptions(Wire.Json));
        services.AddStreams();
    }

    public static void MapRealtime(this WebApplication app)
    {
        app.MapHub<PersonaHub>("/hubs/persona", http => http.TransportMaxBufferSize = 64 * 1024).WithMetadata(OpenToTokens.Instance);
        app.MapEventStream();
    }

    /// <summary>Adds a kind of stream; subjects with rules of their own do it beside their endpoints.</summary>
    public static void AddStream(this IServiceCollection services, Func<IGrainFactory, StreamKind> kind) =>
        services.AddSingleton(provider => kind(provider.GetRequiredService<IGrainFactory>()));

    private static void AddStreams(this IServiceCollection services)
    {
        services.AddStream(grains => StreamKind.Of<UserView>("user",
            (acting, id) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, id)).Get(),
            (acting, user) => acting.MayActFor(user.Id), type => type == "user.deleted"));
        services.AddStream(grains => StreamKind.Of<TenantView>("tenant",
            (acting, id) => id == acting.Tenant ? grains.Of<ITenantGrain>(new TenantKey(id)).Get() : Task.FromResult<Read<TenantView>?>(null),
            (acting, _) => acting.Caller.IsAdmin && acting.User is null));
    }
}
