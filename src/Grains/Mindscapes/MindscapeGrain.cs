using System.Security.Cryptography;
using System.Text;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// What is known of one person. Whatever comes in is numbered and kept, and answered; the outbox has it folded into the traits
/// right after (<see cref="FoldMindscape"/>). What needs the traits as they are by now folds first. Reads interleave: they see
/// the last committed state, whole, because it is one reference.
/// </summary>
public sealed partial class MindscapeGrain(
    Database database, MindscapeStore store, GeneratedPersonaStore personas, FeedbackStore feedback, MapperStore mappers, NarrativeStore narratives,
    NarrativeSearch search, CommandLog log,
    Replicas.Replicas replicas, Owners owners, Clock time) : Grain, IMindscapeGrain
{
    private const int MaxAtOnce = 1000;

    private static readonly Refusal Paused = Refusal.Conflict(
        MindscapeRefusals.LearningPaused, "The person has paused learning: nothing is stored until they resume it.");

    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private MindscapeState? _state;

    /// <summary>Loads nothing: the person may not be there yet.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Mindscape(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Mindscape, _key), _stream, () => _state?.Seq ?? 0, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public async ValueTask<Granted<MindscapeSide>> Grant(SiloAddress holder)
    {
        while (true)
        {
            if (await Person() is { } known)
            {
                await FocusMinutes(known);
            }

            // A commit may have come between: what was read belongs to the version before.
            var granted = await _owner.Grant(
                holder, () => _state is { } now ? new MindscapeSide(now.View, _focus is { } read && read.Version == now.Version ? read.Minutes.ToItems() : null) : null);
            if (granted.View is not { FocusMinutes: null })
            {
                return granted;
            }
        }
    }

    public async Task<Read<MindscapeView>?> Get() => await Person() is { } known ? new Read<MindscapeView>(known.View, database.Epoch, known.Seq) : null;

    public async Task<Outcome<RecordedObservations>> Record(Command command, Items<NewObservation> observations)
    {
        var now = Now();
        var results = observations.Select(observation =>
            ObservationRules.Check(observation, now) is { } refusal ? new RecordedObservation(Recording.Refused, null, refusal) : null).ToArray();
        if (Array.TrueForAll(results, result => result is not null))
        {
            return Outcome<RecordedObservations>.Done(new RecordedObservations(results.ToItems()!));
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        if (_state!.IsPaused)
        {
            return Paused;
        }

        var known = _state;
        var before = await RecordedBefore(observations);
        var said = await SaidBefore(observations);
        var entries = new List<MindscapeEntry>();
        for (var i = 0; i < results.Length; i++)
        {
            var observation = observations[i];
            if (results[i] is null && observation.ClientId is { } id && before.TryGetValue(id, out var first))
            {
                results[i] = new RecordedObservation(Recording.Duplicate, ToView(first), null);
            }
            else if (results[i] is null)
            {
                var words = Hash(observation);
                var trust = ObservationRules.Trust(observation.Source);
                var entry = new MindscapeEntry(
                    Guid.CreateVersion7(now), known.LastNumber + entries.Count + 1, "observation", observation.Type, observation.Content, observation.Metadata,
                    observation.Source, observation.ClientId, said.GetValueOrDefault(words) > trust, observation.ObservedAt?.ToUniversalTime().ToMicroseconds(), now);
                said[words] = Math.Max(said.GetValueOrDefault(words), trust);
                entries.Add(entry);
                if (entry.ClientId is not null)
                {
                    before[entry.ClientId] = entry;
                }

                results[i] = new RecordedObservation(Recording.Recorded, ToView(entry), null);
            }
        }

        var answer = new RecordedObservations(results.ToItems()!);
        if (entries.Count == 0)
        {
            return Outcome<RecordedObservations>.Done(answer);
        }

        var outcome = Outcome<RecordedObservations>.Created(answer);
        var next = known with { LastNumber = entries[^1].Number, RowVersion = known.RowVersion + 1 };
        var batch = Begin();
        MindscapeStore.Save(batch, _key.Tenant, _key.Id, next.ToRow());
        MindscapeStore.Insert(batch, _key.Tenant, _key.Id, entries, command.Caller);
        batch.Append(_stream, _key.Id, "observation.recorded", now, JsonText.From(new
        {
            observations = entries.Select(entry => new { entry.Id, entry.Number, entry.Type, entry.Source, entry.SeenAt }),
            changes = new { },
        }));
        batch.Task(FoldMindscape.Kind, JsonText.From(new FoldMindscape.Payload(_key.Id)), now);
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("user");
    }

    public async Task Fold()
    {
        while (await Person() is { } known && known.Applied < known.LastNumber)
        {
            var entries = await store.After(_key.Tenant, _key.Id, known.Applied, MaxAtOnce);
            var (traits, changes) = TraitFold.Fold(known.Traits, entries);
            var now = Now();
            var next = known with
            {
                Traits = traits,
                Applied = entries.Count < MaxAtOnce ? known.LastNumber : entries[^1].Number,
                RowVersion = known.RowVersion + 1,
            };
            var batch = Begin();
            if (await Committed(batch, await Changed(batch, known, next, changes, now)) is null)
            {
                return;
            }
        }
    }

    public async Task<Outcome<Nothing>> ForgetObservation(Command command, Guid observation)
    {
        await Fold();
        if (_state is not { } known || await store.Find(_key.Tenant, _key.Id, observation, "observation") is not { } forgotten)
        {
            return Refusal.NotFound("observation");
        }

        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin();
        var next = await Forget(batch, command, known, forgotten, now);
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, next) is { } events ? outcome.After(events) : Refusal.NotFound("observation");
    }

    /// <summary>Takes an entry out of all that followed from it.</summary>
    private async Task<MindscapeState> Forget(ScopedBatch batch, Command command, MindscapeState known, MindscapeEntry forgotten, DateTimeOffset now)
    {
        var left = (await store.All(_key.Tenant, _key.Id, null)).Where(entry => entry.Id != forgotten.Id).ToList();
        var (traits, changes) = TraitFold.Fold(TraitFold.Nothing, left);
        var entry = Entry(known, "forgotten", JsonText.From(new Dictionary<string, object> { [forgotten.Kind == "observation" ? "observation" : "narrative"] = forgotten.Id, ["number"] = forgotten.Number }), now);
        var paths = known.Traits.Keys.Union(traits.Keys).Where(path => known.Traits.GetValueOrDefault(path) != traits.GetValueOrDefault(path)).Order(StringComparer.Ordinal).ToList();
        var next = known with
        {
            Traits = traits,
            Version = paths.Count > 0 ? entry.Number : known.Version,
            LastNumber = entry.Number,
            Applied = entry.Number,
            RowVersion = known.RowVersion + 1,
            UpdatedAt = paths.Count > 0 ? now : known.UpdatedAt,
        };
        // What came after is told as it would have been without it. What it was before would show what was forgotten.
        var history = changes.Where(change => change.Entry.Number > forgotten.Number).Select(change => MindscapeState.ToVersion(change.Entry, change.Changes))
            .Concat(left.Where(earlier => earlier.Kind == "forgotten" && earlier.Number > forgotten.Number).Select(earlier => MindscapeState.ToVersion(earlier, [])))
            .Append(MindscapeState.ToVersion(entry, paths.Select(path => new TraitChange(path, null, traits.GetValueOrDefault(path), null, TraitEffect.Won))));
        MindscapeStore.Save(batch, _key.Tenant, _key.Id, next.ToRow());
        MindscapeStore.Delete(batch, _key.Tenant, _key.Id, forgotten.Id);
        MindscapeStore.Insert(batch, _key.Tenant, _key.Id, [entry], command.Caller);
        MindscapeStore.DeleteHistory(batch, _key.Tenant, _key.Id, forgotten.Number);
        MindscapeStore.InsertHistory(batch, _key.Tenant, _key.Id, [.. history]);
        await Stale(batch, known, next, now);
        batch.Append(_stream, _key.Id, $"{(forgotten.Kind == "observation" ? "observation" : "trait")}.forgotten", now, MindscapeState.Told(known, next, paths, [entry]));
        return next;
    }

    public async Task Forget()
    {
        await _owner.Change(() =>
        {
            _state = null;
            return Task.CompletedTask;
        });
        DeactivateOnIdle();
    }

    /// <summary>The rows of what changed the traits, and what is told of it.</summary>
    /// <returns>The state with what follows from the changes.</returns>
    private async Task<MindscapeState> Changed(ScopedBatch batch, MindscapeState known, MindscapeState next, List<EntryChanges> changes, DateTimeOffset now)
    {
        if (changes.Count > 0)
        {
            next = next with { Version = changes[^1].Entry.Number, UpdatedAt = now };
        }

        MindscapeStore.Save(batch, _key.Tenant, _key.Id, next.ToRow());
        if (changes.Count > 0)
        {
            MindscapeStore.InsertHistory(batch, _key.Tenant, _key.Id, changes.ConvertAll(change => MindscapeState.ToVersion(change.Entry, change.Changes)));
            await Stale(batch, known, next, now);
            batch.Append(_stream, _key.Id, "trait.changed", now, MindscapeState.Told(
                known, next, changes.SelectMany(change => change.Changes).Select(change => change.Path), changes.Select(change => change.Entry)));
        }

        return next;
    }

    /// <summary>Agents that hold a persona of this mindscape are told that it has moved on.</summary>
    private async Task Stale(ScopedBatch batch, MindscapeState known, MindscapeState next, DateTimeOffset now)
    {
        if (known.Version > 0 && next.Version != known.Version && await personas.Fresh(_key.Tenant, _key.Id, now, known.Version) is { Count: > 0 } fresh)
        {
            batch.Append(_stream, _key.Id, "persona.stale", now, JsonText.From(new { personas = fresh, changes = new { } }));
        }
    }

    private async Task<Dictionary<string, MindscapeEntry>> RecordedBefore(Items<NewObservation> observations)
    {
        var ids = observations.Where(observation => observation.ClientId is not null).Select(observation => observation.ClientId!).Distinct(StringComparer.Ordinal).ToArray();
        return ids.Length == 0 ? [] : (await store.ByClientIds(_key.Tenant, _key.Id, ids)).ToDictionary(entry => entry.ClientId!, StringComparer.Ordinal);
    }

    /// <summary>How far those are to be trusted who said the same before, where it matters.</summary>
    private async Task<Dictionary<string, int>> SaidBefore(Items<NewObservation> observations)
    {
        var doubtful = observations.Where(observation => ObservationRules.MayEcho(observation.Source))
            .Select(observation => MindscapeStore.Said(observation.Type, observation.Content)).Distinct(StringComparer.Ordinal).ToArray();
        var said = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var before in doubtful.Length == 0 ? [] : await store.SaidBefore(_key.Tenant, _key.Id, doubtful))
        {
            var words = Convert.ToHexString(before.ContentHash);
            said[words] = Math.Max(said.GetValueOrDefault(words), ObservationRules.Trust(before.Source));
        }

        return said;
    }

    private static string Hash(NewObservation observation) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(MindscapeStore.Said(observation.Type, observation.Content))));

    private static MindscapeEntry Entry(MindscapeState known, string kind, JsonText content, DateTimeOffset now) => new(
        Guid.CreateVersion7(now), known.LastNumber + 1, kind, kind, content, JsonText.EmptyObject, null, null, false, null, now);

    private ObservationView ToView(MindscapeEntry entry) => new(
        entry.Id, _key.Id, entry.Number, entry.Type, entry.Content, entry.Metadata, entry.Source, entry.ClientId, entry.ObservedAt, entry.CreatedAt);

    /// <returns>Not if the person has gone meanwhile.</returns>
    private async Task<IReadOnlyList<StreamEvent>?> Committed(ScopedBatch batch, MindscapeState next)
    {
        try
        {
            return await _owner.Commit(batch, events => _state = next with { Seq = events.Count > 0 ? events[^1].Seq : next.Seq });
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            DeactivateOnIdle();
            return null;
        }
    }

    /// <summary>
    /// The person, looked for again where there was none: it may have been registered since. Reads interleave: what a command
    /// has made known meanwhile is newer than what was read here.
    /// </summary>
    private async ValueTask<MindscapeState?> Person()
    {
        if (_state is null && await store.Load(_key.Tenant, _key.Id, _owner.Epoch) is { } row)
        {
            _state ??= MindscapeState.From(_key.Id, row);
        }

        return _state;
    }

    /// <summary>Refused if there is no such person and the caller may not have one registered on first use.</summary>
    private async Task<Refusal?> Missing(Command command) =>
        await Person() is not null ? null
        : await GrainFactory.Of<IUserGrain>(_key).RegisterOnFirstUse(command) is { } refusal ? refusal
        : await Person() is null ? Refusal.NotFound("user")
        : null;

    private ScopedBatch Begin() => database.Begin(RowScope.OfUser(_key.Tenant, _key.Id), _owner.Epoch);

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
