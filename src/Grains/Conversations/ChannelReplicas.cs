using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Conversations;

/// <summary>The views of channels, as silos hold them.</summary>
public static class ChannelReplicas
{
    public static readonly ReplicaOf<ChannelSide> Channel = new(
        static (grains, key, silo) => grains.Of<IChannelGrain>(new ChannelKey(key.Tenant, key.Name!)).Grant(silo),
        static channel => 1024 + (channel.Members.Count * 48) + channel.Window.Sum(message => 1024 + (message.Content.Length * 8)));
}
