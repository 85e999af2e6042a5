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

    /// <summary>With a client id that is known already the first message is answered, and nothing done.</summary>
    [Alias("append")]
    Task<Outcome<MessageView>> Append(Command command, NewMessage message);

    [Alias("edit")]
    Task<Outcome<MessageView>> Edit(Command command, string clientId, string content);

    [Alias("delete-message")]
    Task<Outcome<Nothing>> DeleteMessage(Command command, string clientId);

    /// <summary>Clears a part of the history. What isn't final can be restored once, for thirty days or until retention takes it.</summary>
    [Alias("clear")]
    Task<Outcome<ClearView>> Clear(Command command, HistoryPart part, bool isFinal);

    [Alias("restore")]
    Task<Outcome<ClearView>> Restore(Command command, HistoryPart part);

    /// <summary>Null where the channel isn't there. Interleaves.</summary>
    [Alias("members"), AlwaysInterleave]
    Task<Items<ChannelMember>?> Members(Actor actor);

    [Alias("add-member")]
    Task<Outcome<ChannelMember>> AddMember(Command command, Guid user);

    [Alias("remove-member")]
    Task<Outcome<Nothing>> RemoveMember(Command command, Guid user);

    [Alias("change-settings")]
    Task<Outcome<ChannelView>> ChangeSettings(Command command, SettingsChange change);

    /// <summary>The personalities that answer here, in their order. One that may no longer be used is skipped, and that it is is told once.</summary>
    [Alias("active")]
    Task<Read<ActiveList>?> Active(Actor actor);

    /// <param name="place">Its place in the order; the last where none is named.</param>
    [Alias("activate")]
    Task<Outcome<ActivationView>> Activate(Command command, Guid personality, int? place, bool? autoRespond);

    [Alias("deactivate")]
    Task<Outcome<Nothing>> Deactivate(Command command, Guid personality);

    /// <summary>Somebody is about to say something: told to who listens, and kept nowhere. Interleaves.</summary>
    [Alias("typing"), AlwaysInterleave]
    Task<Outcome<Nothing>> Typing(Actor actor, Guid? personality);

    /// <summary>The user is gone, and the rows with them: what is in memory goes too, and those who listen are told.</summary>
    [Alias("forget-user")]
    Task ForgetUser(Guid user);
}
