using System.Collections.Concurrent;
using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>What is made of a channel's view, once for all prompts and reads.</summary>
public sealed class PreparedChannel(ChannelSide side)
{
    private readonly Said[] _all = [.. side.Window.Select(message => new Said(message))];
    private readonly ConcurrentDictionary<Guid, Said[]> _conversations = new();

    public static PreparedChannel Of(ChannelSide side) => new(side);

    public ChannelSide Side => side;

    public bool Has(Guid user) => side.Members.AsSpan().Contains(user);

    /// <summary>What was said to a personality and by it, and to nobody in particular; of whoever is no personality only that.</summary>
    public ArraySegment<Said> Of(Guid? personality) =>
        // Any id may be asked for: whoever has no part of their own here shares one.
        _conversations.GetOrAdd(personality is { } named && Array.Exists(_all, said => said.Message.PersonalityId == named) ? named : Guid.Empty, static (of, all) => [.. all.Where(said => said.Message.IsOf(of))], _all);

    /// <summary>The newest of one personality's conversation, or of all, that were said since then.</summary>
    public ArraySegment<Said> Last(Guid? personality, int count, DateTimeOffset since)
    {
        var from = personality is null ? _all : Of(personality);
        var first = from.Count;
        while (first > 0 && from.Count - first < count && from[first - 1].Message.CreatedAt >= since)
        {
            first--;
        }

        return from[first..];
    }
}
