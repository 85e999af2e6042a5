using System.Collections.Concurrent;
using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>What is made of a channel's view, once for all prompts.</summary>
public sealed class PreparedChannel(ChannelSide side)
{
    private readonly ConcurrentDictionary<Guid, MessageView[]> _conversations = new();

    public ChannelSide Side => side;

    public bool Has(Guid user) => side.Members.AsSpan().Contains(user);

    /// <summary>What was said to a personality and by it, and to nobody in particular; of whoever is no personality only that.</summary>
    public MessageView[] Of(Guid? personality) => _conversations.GetOrAdd(personality ?? Guid.Empty, static (of, side) => [.. side.Window.Where(message => message.IsOf(of))], side);
}
