using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>Which personalities answer in the channel, in which order.</summary>
public sealed partial class ChannelGrain
{
    public async Task<Read<ActiveList>?> Active(Actor actor)
    {
        if (_state is not { } channel || !channel.Admits(actor))
        {
            return null;
        }

        var seen = new List<Activation>();
        foreach (var active in channel.Active)
        {
            seen.Add(active with { IsSkipped = !await MayBeUsed(active.PersonalityId, active.ActivatedBy) });
        }

        try
        {
            await NoteSkipped(channel, seen.ToItems());
        }
        catch (Exception e) when (e.MayPass())
        {
            // It is told the next time that somebody looks.
        }

        return new Read<ActiveList>(new ActiveList(seen.Where(active => !active.IsSkipped).Select(active => active.View).ToItems()), database.Epoch, (_state ?? channel).Seq);
    }

    /// <summary>That one is skipped is told once, until it may be used again.</summary>
    private async Task NoteSkipped(ChannelState known, Items<Activation> seen)
    {
        if (seen.Equals(known.Active))
        {
            return;
        }

        var now = Now();
        var next = known.Next() with { Active = seen };
        var batch = Begin(next);
        for (var i = 0; i < seen.Count; i++)
        {
            if (seen[i] != known.Active[i])
            {
                ChannelStore.Activate(batch, _key, seen[i]);
                batch.Append(_stream, null, seen[i].IsSkipped ? ChannelEvents.Skipped : ChannelEvents.Activated, now, Told(seen[i]));
            }
        }

        await Commit(batch, next);
    }

    public async Task<Outcome<ActivationView>> Activate(Command command, Guid personality, int? place, bool? autoRespond)
    {
        if ((MayNotMake(command) ?? Text.CheckRange("place", place, 0, MessageRules.MaxPlace)) is { } invalid)
        {
            return invalid;
        }

        if (!await MayBeUsed(personality, command.Actor.User))
        {
            return Refusal.NotFound("personality");
        }

        var now = Now();
        var before = _state ?? ChannelState.New(_key.Id, now);
        var known = before.Active.FirstOrDefault(active => active.PersonalityId == personality);
        var active = known is null
            ? new Activation(personality, place ?? before.Active.Select(other => other.Place + 1).DefaultIfEmpty(0).Max(), autoRespond ?? true, command.Actor.User, now, false)
            : known with { Place = place ?? known.Place, AutoRespond = autoRespond ?? known.AutoRespond, ActivatedBy = command.Actor.User ?? known.ActivatedBy, IsSkipped = false };
        var outcome = Outcome<ActivationView>.Done(active.View);
        if (active == known)
        {
            return await _owner.Unchanged(Begin(), command, command.Actor.User, outcome.Since(database.Epoch, before.Seq), now);
        }

        if (known is null && before.Active.Count >= MessageRules.MaxActive)
        {
            return Refusal.Conflict("channel_full", $"In a channel at most {MessageRules.MaxActive} personalities are active.");
        }

        var next = before.Next() with { Active = InOrder(before.Active.Where(other => other != known).Append(active)) };
        var batch = Begin(next);
        ChannelStore.Activate(batch, _key, active);
        batch.Append(_stream, null, ChannelEvents.Activated, now, before.RowVersion == 0 ? next.Told(before, "activation", active.View) : Told(active));
        batch.Answer(command, command.Actor.User, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<Nothing>> Deactivate(Command command, Guid personality)
    {
        if (Closed(command) is { } closed)
        {
            return closed;
        }

        if (_state!.Active.FirstOrDefault(active => active.PersonalityId == personality) is not { } known)
        {
            return Refusal.NotFound("activation");
        }

        var now = Now();
        var next = _state.Next() with { Active = _state.Active.Where(other => other != known).ToItems() };
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin(next);
        ChannelStore.Deactivate(batch, _key, personality);
        batch.Append(_stream, null, ChannelEvents.Deactivated, now, Told(known));
        batch.Answer(command, command.Actor.User, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    /// <summary>By whom it was activated for; where nobody is named it is there for all, so all must be allowed to use it.</summary>
    private async ValueTask<bool> MayBeUsed(Guid personality, Guid? by) =>
        await replicas.Read(PromptReplicas.Personality, new ReplicaKey(ReplicaKind.Personality, new TenantScopedKey(_key.Tenant, personality))) is { } it
        && (by is { } user ? it.MayUse(new Actor(ActorKind.User, user)) : it.IsPublic);

    private static Items<Activation> InOrder(IEnumerable<Activation> active) =>
        active.OrderBy(one => one.Place).ThenBy(one => one.ActivatedAt).ThenBy(one => one.PersonalityId).ToItems();

    private static JsonText Told(Activation active) => JsonText.From(new { activation = active.View, changes = new { } });
}
