using PersonaActors.Contracts.Conversations;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Grains.Conversations;

namespace PersonaActors.Gateway.Conversations;

public static class ChannelStreams
{
    /// <summary>Named by the channel's own id; seen by who is in it.</summary>
    public static StreamKind Kind(IGrainFactory grains) => new("channel", async (acting, id) =>
        acting.MayActForAnybody && MessageRules.CheckId(id) is null && await grains.Of<IChannelGrain>(new ChannelKey(acting.Tenant, id)).Get(acting.Actor) is { } found
            ? new StreamSight(acting.Tenant, found.Epoch, found.Seq, () => JsonText.From(found.Value))
            : null,
        static type => type == ChannelEvents.MemberRemoved);
}
