using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What somebody decides about a mindscape itself: what is in it, and whether it learns.</summary>
public sealed partial class MindscapeGrain
{
    private const int MaxTraitsJson = 256 * 1024;

    internal static Refusal? Check(JsonText traits) =>
        Text.CheckJson("traits", traits, null, JsonValueKind.Object, MaxTraitsJson) ?? ObservationRules.CheckTraits("traits", JsonElement.Parse(traits.Json), TraitFold.MaxTraits);

    public async Task<Outcome<MindscapeView>> SetTraits(Command command, JsonText traits, long? version)
    {
        if (Check(traits) is { } invalid)
        {
            return invalid;
        }

        // Asked before anybody is registered: of whom nobody knows anything yet it is version 0.
        if (await Person() is not null)
        {
            await Fold();
        }

        var at = _state?.Version ?? 0;
        if (command.Stale(at) is { } stale)
        {
            return stale;
        }

        if (version is { } old && old != at)
        {
            return Refusal.Conflict(MindscapeRefusals.VersionConflict, $"The mindscape is at version {at}, not {old}: read it again and repeat the change.", "version");
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _state!;
        var now = Now();
        var entry = Entry(known, "traits", traits, now);
        var (next, changes) = TraitFold.Fold(known.Traits, [entry]);
        if (changes.Count == 0)
        {
            return await Unchanged(command, known, known.View);
        }

        return await Take(command, known, entry, known with { Traits = next }, changes, now);
    }

    public async Task<Outcome<MindscapeView>> SetLearning(Command command, bool paused)
    {
        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _state!;
        if (known.IsPaused == paused)
        {
            return await Unchanged(command, known, known.View);
        }

        var now = Now();
        var next = known with { IsPaused = paused, RowVersion = known.RowVersion + 1, UpdatedAt = now };
        var outcome = Outcome<MindscapeView>.Done(next.View);
        var batch = Begin();
        MindscapeStore.Save(batch, _key.Tenant, _key.Id, next.ToRow());
        batch.Append(_stream, _key.Id, paused ? "learning.paused" : "learning.resumed", now, MergePatch.Between(known.View, next.View));
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("user");
    }

    private Task<Outcome<T>> Unchanged<T>(Command command, MindscapeState known, T value)
        where T : class => _owner.Unchanged(Begin(), command, _key.Id, Outcome<T>.Done(value).Since(database.Epoch, known.Seq), Now());

    /// <summary>An entry that is taken into the traits as it comes: everything before it is in them.</summary>
    private async Task<Outcome<MindscapeView>> Take(
        Command command, MindscapeState known, MindscapeEntry entry, MindscapeState next, List<EntryChanges> changes, DateTimeOffset now)
    {
        var batch = Begin();
        MindscapeStore.Insert(batch, _key.Tenant, _key.Id, [entry], command.Caller);
        next = await Changed(batch, known, next with { LastNumber = entry.Number, Applied = entry.Number, RowVersion = known.RowVersion + 1 }, changes, now);
        var outcome = Outcome<MindscapeView>.Done(next.View);
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("user");
    }
}
