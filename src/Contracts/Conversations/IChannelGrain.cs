using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Conversations;

/// <summary>
/// One channel. Key: <see cref="ChannelKey"/>. The only writer of its settings, members, activations and messages; it holds the
/// newest of these. It reads replicas and asks no grain. To whom it isn't open it isn't there: <see cref="Actor"/> without a
/// user stands for anybody, so whether the caller may act for anybody is the caller's to check.
/// </summary>
[Alias("channel")]
public interface IChannelGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<ChannelSide>> Grant(SiloAddress holder);

    [Alias("get"), AlwaysInterleave]
    Task<Read<ChannelView>?> Get(Actor actor);

    /// <summary>The newest messages, of one personality's conversation or of all. Interleaves, and touches no table.</summary>
    [Alias("window"), AlwaysInterleave]
    Task<Read<MessageWindow>?> Window(Actor actor, Guid? personality, int last);

    /// <summary>With a client id that is known already the first message is answered, and nothing done.</summary>
    [Alias("append")]
    Task<Outcome<MessageView>> Append(Command command, NewMessage message);
}
