using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Conversations;
using PersonaActors.Gateway.Jobs;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Gateway.UserPersonas;
using PersonaActors.Storage.Focus;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Gateway.Realtime;

/// <summary>What real time is made of. A subject that has streams adds a line to <see cref="AddStreams"/>.</summary>
public static class RealtimeComposition
{
    private const long MaxMessage = 256 * 1024;

    /// <summary>
    /// What lies in the kernel for a client that doesn't read. Left to itself Linux lets it grow to megabytes, which a
    /// hundred of them fill at the cost of everybody's processor before their queues even begin to.
    /// </summary>
    private const int KernelBuffer = 128 * 1024;

    public static void AddRealtime(this IServiceCollection services)
    {
        services.AddSingleton<StreamDirectory>();
        services.AddSingleton<Presence>();
        services.AddHostedService(provider => provider.GetRequiredService<Presence>());
        services.AddSingleton<ConnectionRoster>();
        services.AddSingleton<EventPump>();
        services.AddSingleton<Admission>();
        services.AddSingleton(provider => provider.GetRequiredService<PromptStream>().ToKind() with { Spell = PromptOf(provider) });
        services.AddSingleton<LogCheck>();
        services.AddHostedService(provider => provider.GetRequiredService<LogCheck>());
        services.AddHostedService<DerivedReads>();
        services.AddHostedService<NotifyListener>();
        services.AddSingleton<HubLifetimeManager<PersonaHub>, HubConnections>();
        // What a client sends that is no message isn't an error of ours: the client is told.
        services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore.SignalR.HubConnectionHandler", LogLevel.None));
        services.AddSignalR(hub => hub.MaximumReceiveMessageSize = MaxMessage)
            .AddJsonProtocol(json => json.PayloadSerializerOptions = new JsonSerializerOptions(Wire.Json));
        services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = Listen);
        services.AddStreams();
    }

    public static void MapRealtime(this WebApplication app)
    {
        app.MapHub<PersonaHub>("/hubs/persona", http => http.TransportMaxBufferSize = 64 * 1024).RequireAuthorization(Policies.Realtime);
        app.MapEventStream();
    }

    /// <summary>After all protocols have been added.</summary>
    public static void TellWhyHubsClose(this IServiceCollection services)
    {
        foreach (var protocol in services.Where(service => service.ServiceType == typeof(IHubProtocol)).ToList())
        {
            services.Remove(protocol);
            services.AddSingleton<IHubProtocol>(provider => new ReasonedProtocol((IHubProtocol)ActivatorUtilities.CreateInstance(provider, protocol.ImplementationType!)));
        }
    }

    /// <summary>Connections get their options from the socket that accepts them.</summary>
    private static Socket Listen(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        socket.SendBufferSize = KernelBuffer;
        return socket;
    }

    /// <summary>Adds a kind of stream; subjects with rules of their own do it beside their endpoints.</summary>
    public static void AddStream(this IServiceCollection services, Func<IGrainFactory, IServiceProvider, StreamKind> kind) =>
        services.AddSingleton(provider => kind(provider.GetRequiredService<IGrainFactory>(), provider));

    private static void AddStreams(this IServiceCollection services)
    {
        services.AddStream((grains, provider) => StreamKind.Of<UserView>("user",
            // Somebody else isn't even looked for.
            (acting, id) => acting.MayLookAfter(id) ? grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, id)).Get() : Task.FromResult<Read<UserView>?>(null),
            static (_, _) => ValueTask.FromResult(true), type => type is EventTypes.UserDeleted or EventTypes.UserAccessChanged,
            guise: (acting, user) => acting.MayActFor(user.Id) ? null : Account) with
        { Spell = UserOf(provider) });
        services.AddStream((grains, provider) => StreamKind.Of<UserPersonaView>("user-persona",
            (acting, id) => grains.Of<IUserPersonaGrain>(new TenantScopedKey(acting.Tenant, id)).Get(),
            (acting, persona) => UserPersonaEndpoints.MaySee(Who(provider), acting, persona),
            type => type is EventTypes.UserPersonaUpdated or EventTypes.UserPersonaDeleted, persona => persona.OwnerId));
        services.AddStream((grains, _) => StreamKind.Of<TenantView>("tenant",
            (acting, id) => id == acting.Tenant ? grains.Of<ITenantGrain>(new TenantKey(id)).Get() : Task.FromResult<Read<TenantView>?>(null),
            (acting, _) => ValueTask.FromResult(acting.Actor.IsAdmin)) with
        { Spell = OwnTenant });
        services.AddStream((grains, provider) => StreamKind.Of<CompanionView>("companion",
            // The companion's grain may still live when its person is gone.
            async (acting, id) => await Who(provider).MayActFor(acting, id) ? await grains.Of<ICompanionGrain>(new TenantScopedKey(acting.Tenant, id)).Get() : null,
            static (_, _) => ValueTask.FromResult(true), owner: person => person.Id) with
        { Spell = UserOf(provider) });
        services.AddStream((grains, provider) => StreamKind.Of<MindscapeView>("mindscape",
            // As the companion's.
            async (acting, id) => await Who(provider).MayActFor(acting, id) ? await grains.Of<IMindscapeGrain>(new TenantScopedKey(acting.Tenant, id)).Get() : null,
            static (_, _) => ValueTask.FromResult(true), owner: mindscape => mindscape.PersonId) with
        { Spell = UserOf(provider) });
        services.AddStream((_, provider) => StreamKind.Of<JobView>("job",
            async (acting, id) => await provider.GetRequiredService<JobDesk>().Find(acting, id, CancellationToken.None) is { } job ? await job.Get() : null,
            static (_, _) => ValueTask.FromResult(true), owner: job => job.UserId ?? Guid.Empty));
        services.AddOwnedStream<PersonaView>("persona", provider => provider.GetRequiredService<PersonaStore>().FindOwner,
            (grains, key) => grains.Of<IPersonaGrain>(key).Get(), persona => persona.OwnerId);
        services.AddOwnedStream<FocusSessionView>("session", provider => provider.GetRequiredService<FocusStore>().FindOwner,
            (grains, key) => grains.Of<IFocusSessionGrain>(key).Get(), session => session.UserId);
        // Who is with a thing is shown to those who may see the thing.
        services.AddSingleton(provider => provider.GetRequiredService<Presence>().ToStreamKind(async (acting, place) =>
            await provider.GetRequiredService<StreamDirectory>().Look(acting, place) is not null) with
        {
            Spell = (acting, place) => provider.GetRequiredService<StreamDirectory>().Spell(acting, place),
        });
        services.AddStream((grains, _) => new StreamKind("catalogue", async (acting, rest) =>
        {
            var system = rest == "system";
            if (!system && rest != acting.Tenant.ToString())
            {
                return null;
            }

            var found = await grains.Of<ICatalogueGrain>(system ? TenantKey.System : new TenantKey(acting.Tenant)).Get();
            return new StreamSight(system ? null : acting.Tenant, found.Epoch, found.Seq, () => JsonText.From(found.Value));
        })
        { Spell = OwnTenant });
        services.AddStream((grains, _) => ChannelStreams.Kind(grains));
        services.AddStream((grains, provider) => PersonalityStreams.Kind(grains) with { Spell = PersonalityOf(provider) });
    }

    private static ActingResolver Who(IServiceProvider provider) => provider.GetRequiredService<ActingResolver>();

    /// <summary>The caller's own tenant needs no id, which no route shows.</summary>
    private static ValueTask<string?> OwnTenant(Acting acting, string rest) => ValueTask.FromResult(rest is "" or "tenant" ? acting.Tenant.ToString() : null);

    private static Func<Acting, string, ValueTask<string?>> UserOf(IServiceProvider provider) =>
        async (acting, rest) => (await Who(provider).FindUser(acting, rest, CancellationToken.None))?.ToString();

    private static Func<Acting, string, ValueTask<string?>> PersonalityOf(IServiceProvider provider)
    {
        var index = provider.GetRequiredService<PersonalityIndex>();
        return async (acting, rest) => (await index.Find(acting.Tenant, acting.User, rest, CancellationToken.None))?.ToString();
    }

    /// <summary>A prompt is named by its user and its personality; a slug has no colon, an identity has.</summary>
    private static Func<Acting, string, ValueTask<string?>> PromptOf(IServiceProvider provider)
    {
        var (user, personality) = (UserOf(provider), PersonalityOf(provider));
        return async (acting, rest) => rest.LastIndexOf(':') is >= 0 and var colon
            && await user(acting, rest[..colon]) is { } who && await personality(acting, rest[(colon + 1)..]) is { } with ? $"{who}:{with}" : null;
    }

    /// <summary>A user for those who look after the account: what GET of it shows, not what else belongs to the user.</summary>
    private static readonly Guise Account = new("", static e =>
        e with { Data = JsonText.From(new { changes = JsonNode.Parse(e.Data.Json)!["changes"] ?? new JsonObject() }) });

    /// <summary>A stream of something that belongs to a user whom its name doesn't tell. Whose it is, is the table's to say: its grain may still live when they are gone.</summary>
    private static void AddOwnedStream<T>(
        this IServiceCollection services, string name, Func<IServiceProvider, Func<Guid, Guid, CancellationToken, Task<Guid?>>> findOwner, Func<IGrainFactory, OwnedKey, Task<Read<T>?>> read, Func<T, Guid> ownerOf)
        where T : class =>
        services.AddSingleton(provider =>
        {
            var (grains, who) = (provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<ActingResolver>());
            var owners = findOwner(provider);
            return StreamKind.Of<T>(name,
                async (acting, id) => acting.MayActForAnybody && await owners(acting.Tenant, id, CancellationToken.None) is { } owner && await who.MayActFor(acting, owner)
                    ? await read(grains, new OwnedKey(acting.Tenant, owner, id))
                    : null,
                static (_, _) => ValueTask.FromResult(true), owner: ownerOf);
        });
}
