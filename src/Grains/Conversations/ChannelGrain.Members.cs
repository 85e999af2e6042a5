using Npgsql;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Settings;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>Who reads and writes in the channel, and how it is set.</summary>
public sealed partial class ChannelGrain
{
    private static readonly Refusal Full = Refusal.Conflict("channel_full", $"A channel has at most {MessageRules.MaxMembers:N0} members.");
    private static readonly Refusal MayNotAdd = Refusal.Forbidden("may_not_delegate", "Members are added by keys that act for others.");

    public Task<Items<ChannelMember>?> Members(Actor actor) => Task.FromResult(_state is { } channel && channel.Admits(actor) ? channel.Members.Values.ToItems() : null);

    public async Task<Outcome<ChannelMember>> AddMember(Command command, Guid user)
    {
        var brings = command.Actor.Kind != ActorKind.User && (command.Actor.User is null || command.Actor.User == user);
        if (!brings && Closed(command) is { } closed)
        {
            return closed;
        }

        if (_state?.Members.GetValueOrDefault(user) is { } known)
        {
            return await _owner.Unchanged(Begin(), command, user, Outcome<ChannelMember>.Done(known).Since(database.Epoch, _state.Seq), Now());
        }

        if (!brings || _state?.Members.Count >= MessageRules.MaxMembers)
        {
            return brings ? Full : MayNotAdd;
        }

        var now = Now();
        var before = _state ?? ChannelState.New(_key.Id, now);
        var member = new ChannelMember(user, now);
        var next = Join(before.Next(), member);
        var outcome = Outcome<ChannelMember>.Done(member);
        var batch = Begin(next);
        ChannelStore.AddMember(batch, _key, member);
        batch.Append(_stream, null, ChannelEvents.MemberAdded, now, next.Told(before, "member", member));
        batch.Answer(command, user, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, next));
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task<Outcome<Nothing>> RemoveMember(Command command, Guid user)
    {
        if ((Closed(command) ?? (command.Actor.User is { } own && own != user ? Refusal.Forbidden("may_not_delegate", "Who acts for a user takes only that user out of a channel.") : null)) is { } refusal)
        {
            return refusal;
        }

        if (!_state!.Members.ContainsKey(user))
        {
            return Refusal.NotFound("member");
        }

        var now = Now();
        var next = _state.Next();
        next = next with { Members = next.Members.Remove(user) };
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin(next);
        ChannelStore.RemoveMember(batch, _key, user);
        batch.Append(_stream, null, ChannelEvents.MemberRemoved, now, JsonText.From(new { member = new { userId = user }, changes = new { } }));
        batch.Answer(command, user, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<ChannelView>> ChangeSettings(Command command, SettingsChange change)
    {
        if (MayNotMake(command) is { } closed)
        {
            return closed;
        }

        var now = Now();
        var before = _state ?? ChannelState.New(_key.Id, now);
        if (command.Stale(before.View.Version) is { } stale)
        {
            return stale;
        }

        var settings = change.Over(before.View.Settings);
        if (SettingsRules.Check(settings) is { } invalid)
        {
            return invalid;
        }

        if (_state is not null && settings == before.View.Settings)
        {
            return await _owner.Unchanged(Begin(), command, command.Actor.User, Outcome<ChannelView>.Done(before.View).Since(database.Epoch, before.Seq), now);
        }

        var next = before.Next();
        next = next with { View = next.View with { Settings = settings, Version = next.View.Version + 1, UpdatedAt = now } };
        var outcome = Outcome<ChannelView>.Done(next.View);
        var batch = Begin(next);
        batch.Append(_stream, null, ChannelEvents.Updated, now, next.Told(before, "settings", settings));
        batch.Answer(command, command.Actor.User, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task ForgetUser(Guid user)
    {
        var knew = _state is { } known && (known.Members.ContainsKey(user) || known.Window.Messages.Any(message => message.UserId == user) || known.Active.Any(active => active.ActivatedBy == user));
        await _owner.Change(Load);
        if (!knew || _state is not { } left)
        {
            return;
        }

        var now = Now();
        var next = left.Next();
        var batch = Begin(next);
        batch.Append(_stream, null, ChannelEvents.MemberRemoved, now, JsonText.From(new { member = new { userId = user }, changes = new { } }));
        batch.Append(_stream, null, ChannelEvents.Cleared, now, JsonText.From(new
        {
            cleared = new ClearView(Guid.CreateVersion7(now), user, null, next.View.LastNumber, now, IsFinal: true),
            changes = new { },
        }));
        await Commit(batch, next);
    }

    private static ChannelState Join(ChannelState channel, ChannelMember member) => channel with { Members = channel.Members.SetItem(member.UserId, member) };
}
