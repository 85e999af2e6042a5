using System.Collections.Frozen;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Conversations;

/// <summary>The views of channels, as silos hold them.</summary>
public static class ChannelReplicas
{
    public static readonly ReplicaOf<ChannelSide> Channel = new(
        static (grains, key, silo) => grains.Of<IChannelGrain>(new ChannelKey(key.Tenant, key.Name!)).Grant(silo),
        static channel => 1024 + (channel.Members.Count * 48) + channel.Window.Sum(message => 512 + (message.Content.Length * 2)));
}

/// <summary>What is made of a channel's view, once for all prompts.</summary>
public sealed class PreparedChannel(ChannelSide side)
{
    private readonly FrozenSet<Guid> _members = side.Members.ToFrozenSet();

    public ChannelSide Side => side;

    public bool Has(Guid user) => _members.Contains(user);
}
