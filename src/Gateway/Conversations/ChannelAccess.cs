using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Grains.Conversations;

namespace PersonaActors.Gateway.Conversations;

/// <summary>The way from a request to a channel. Whether the caller's user is in it, is the grain's to say; whether it may act for anybody, is said here.</summary>
public sealed class ChannelAccess(ActingResolver who, PersonalityIndex index, IGrainFactory grains, Clock time)
{
    public static readonly Refusal None = Refusal.NotFound("channel");

    public async ValueTask<(Acting? Acting, ChannelKey Key, Refusal? Refusal)> Find(HttpContext http, string channel, string? user = null)
    {
        var (acting, refusal) = await who.Resolve(http, user);
        refusal ??= acting!.MayActForAnybody ? MessageRules.CheckId(channel) : ActingResolver.MayNotDelegate;
        return refusal is not null ? (null, default, refusal) : (acting, new ChannelKey(acting!.Tenant, channel), null);
    }

    public IChannelGrain Of(ChannelKey key) => grains.Of<IChannelGrain>(key);

    /// <summary>What was said before isn't kept any more, though it may still be there.</summary>
    public async ValueTask<DateTimeOffset> Retained(Acting acting) =>
        time.GetUtcNow().AddDays(-((await grains.Of<ITenantGrain>(new TenantKey(acting.Tenant)).Get())?.Value.ConversationRetentionDays ?? 0));

    /// <summary>The personality that a request names, if it names one.</summary>
    public async ValueTask<(Guid? Personality, Refusal? Refusal)> Personality(HttpContext http, Acting acting, string? text) =>
        await index.Named(acting.Tenant, acting.User, text, http.RequestAborted);
}
