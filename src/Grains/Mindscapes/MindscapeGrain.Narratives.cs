using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// What the person says in words, and what is curated. It comes with its vector, which was made before the transaction; what
/// couldn't be embedded is kept all the same, and the outbox has its vector made (<see cref="EmbedNarrative"/>).
/// </summary>
public sealed partial class MindscapeGrain
{
    public async Task<Outcome<NarrativeView>> AddNarrative(Command command, NewNarrative given, TextVector? vector)
    {
        if (NarrativeRules.Check(given) is { } invalid)
        {
            return invalid;
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        await Fold();
        var known = _state!;
        if (given.ClientId is { } id && await narratives.ByClientId(_key.Tenant, _key.Id, id) is { } before)
        {
            return await Unchanged(command, known, before);
        }

        if (known.IsPaused)
        {
            return Paused;
        }

        var said = NarrativeRules.Said(given.Text);
        if (ObservationRules.MayEcho(given.Source) && NarrativeRules.Echoed(await narratives.SaidBefore(_key.Tenant, _key.Id, said), given.Source) is { } echoed)
        {
            return await Unchanged(command, known, echoed);
        }

        var now = Now();
        var at = given.Origin is { } origin && origin.At < now && origin.At > DateTimeOffset.UnixEpoch ? origin.At.ToMicroseconds() : now;
        // Its place among the others is that of when it was said.
        var made = Guid.CreateVersion7(at);
        // What was corrected elsewhere corrects nothing that was seen here since.
        var isOvertaken = given is { Origin: not null, TraitPath: { } path } && known.Traits.GetValueOrDefault(path)?.LastSeen > at;
        var entry = isOvertaken ? null : NarrativeRules.Entry(made, known.LastNumber + 1, given, given.Origin is null ? null : at, now);
        var (traits, changes) = TraitFold.Fold(known.Traits, entry is null ? [] : [entry]);
        var narrative = new NarrativeView(
            made, _key.Id, given.Type, given.Text, given.Origin?.CuratedText, given.Tags ?? NarrativeRules.TagsOf(given.Text), given.TraitPath, given.Action, given.OriginalValue, given.Context,
            given.Source, given.ClientId, vector is not null, NarrativeRules.Links(given, changes), 1, at, at);
        var outcome = Outcome<NarrativeView>.Created(narrative);
        var batch = Begin();
        NarrativeStore.Insert(batch, _key.Tenant, narrative, said, command.Caller);
        var next = known;
        if (entry is not null)
        {
            MindscapeStore.Insert(batch, _key.Tenant, _key.Id, [entry], command.Caller);
            next = await Changed(
                batch, known, known with { Traits = traits, LastNumber = entry.Number, Applied = entry.Number, RowVersion = known.RowVersion + 1 }, changes, now);
        }

        Embed(batch, narrative, vector, now);
        Tell(batch, "narrative.added", narrative, now);
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("user");
    }

    /// <summary>What it made of traits stays: that is changed by another curation, or forgotten with it.</summary>
    public async Task<Outcome<NarrativeView>> ChangeNarrative(Command command, Guid id, NarrativeChange change, TextVector? vector)
    {
        if (NarrativeRules.Check(change) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known || await Narrative(id) is not { } before)
        {
            return Refusal.NotFound("narrative");
        }

        if (command.Stale(before.Version) is { } stale)
        {
            return stale;
        }

        var changed = before with
        {
            Text = change.Text ?? before.Text,
            CuratedText = change.CuratedText ?? before.CuratedText,
            Tags = change.Tags ?? before.Tags,
            Context = change.Context ?? before.Context,
        };
        if (changed == before)
        {
            return await Unchanged(command, known, before);
        }

        var now = Now();
        var isSaidOtherwise = changed.Text != before.Text;
        changed = changed with
        {
            Version = before.Version + 1,
            UpdatedAt = now,
            EmbeddingGenerated = isSaidOtherwise ? vector is not null : before.EmbeddingGenerated,
        };
        var outcome = Outcome<NarrativeView>.Done(changed);
        var batch = Begin();
        NarrativeStore.Update(batch, _key.Tenant, changed, NarrativeRules.Said(changed.Text));
        if (isSaidOtherwise)
        {
            if (vector is null)
            {
                NarrativeStore.DropVector(batch, _key.Tenant, _key.Id, id);
            }

            Embed(batch, changed, vector, now);
        }

        Tell(batch, "narrative.changed", changed, now);
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, known) is { } events ? outcome.After(events) : Refusal.NotFound("narrative");
    }

    public async Task<Outcome<Nothing>> ForgetNarrative(Command command, Guid id)
    {
        await Fold();
        if (_state is not { } known || await Narrative(id) is null)
        {
            return Refusal.NotFound("narrative");
        }

        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin();
        var next = known;
        if (await store.Find(_key.Tenant, _key.Id, id, "narrative", "curation") is { } entry)
        {
            next = await Forget(batch, command, known, entry, now);
        }

        NarrativeStore.Delete(batch, _key.Tenant, _key.Id, id);
        batch.Append(_stream, _key.Id, "narrative.forgotten", now, JsonText.From(new { narrative = new { id }, changes = new { } }));
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("narrative");
    }

    public async Task Embedded(Guid id, int version, TextVector vector)
    {
        if (await Person() is not { } known || await Narrative(id) is not { } narrative || narrative.Version != version)
        {
            return;
        }

        var now = Now();
        var batch = Begin();
        NarrativeStore.SetVector(batch, _key.Tenant, narrative, vector);
        Tell(batch, "narrative.embedded", narrative with { EmbeddingGenerated = true }, now);
        await Committed(batch, known);
    }

    private Task<NarrativeView?> Narrative(Guid id) => narratives.Find(RowScope.OfUser(_key.Tenant, _key.Id), id);

    private void Embed(ScopedBatch batch, NarrativeView narrative, TextVector? vector, DateTimeOffset now)
    {
        if (vector is not null)
        {
            NarrativeStore.SetVector(batch, _key.Tenant, narrative, vector);
        }
        else
        {
            batch.Task(EmbedNarrative.Kind, JsonText.From(new EmbedNarrative.Payload(_key.Id, narrative.Id)), now);
        }
    }

    private void Tell(ScopedBatch batch, string type, NarrativeView narrative, DateTimeOffset now) => batch.Append(_stream, _key.Id, type, now, JsonText.From(new
    {
        narrative = new { narrative.Id, narrative.Type, narrative.Tags, narrative.TraitPath, narrative.Action, narrative.Source, narrative.EmbeddingGenerated, narrative.Version },
        changes = new { },
    }));
}
