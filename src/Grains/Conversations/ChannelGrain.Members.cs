using PersonaActors.Contracts;
using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>Who reads and writes in the channel.</summary>
public sealed partial class ChannelGrain
{
    private static readonly Refusal Full = Refusal.Conflict("channel_full", $"A channel has at most {MessageRules.MaxMembers:N0} members.");

    private static ChannelState Join(ChannelState channel, ChannelMember member) => channel with { Members = channel.Members.Add(member.UserId, member) };
}
