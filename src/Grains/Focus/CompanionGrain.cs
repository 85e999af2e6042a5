using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// What accompanies a person across sessions: rhythm, tasks, memories, mood and habit. A session's start and end are told to
/// it twice, by whoever asked for them and by the outbox, and each counts once.
/// </summary>
public sealed class CompanionGrain(Database database, CompanionStore store, CommandLog log, Owners owners, Clock time) : Grain, ICompanionGrain
{
    public const string SummaryType = "focus_session_summary";

    private static readonly TimeSpan SummaryKept = TimeSpan.FromDays(14);

    /// <summary>Of what nobody waits to be answered.</summary>
    private static readonly Outcome<Nothing> Told = Outcome<Nothing>.Done(Nothing.Value);

    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private CompanionState? _known;

    /// <summary>The session whose start was told last.</summary>
    private Guid _begun;

    /// <summary>Loads nothing: sessions ask for what is around them whether or not anything else here is wanted.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Companion(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Companion, _key), _stream, () => _known?.Model.Version ?? 0, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<Read<CompanionView>?> Get() =>
        await Person() is { } known ? new Read<CompanionView>(known.View, database.Epoch, known.Seq) : null;

    public Task<Surroundings?> Surroundings(Guid? task) => store.Surroundings(_key.Tenant, _key.Id, task, time.GetUtcNow());

    public async Task<Outcome<RhythmView>> SetRhythm(Command command, RhythmChange change)
    {
        var now = Now();
        if (FocusChecks.Check(RhythmRules.Changed(RhythmLevels.Unknown, change, now)) is { } invalid)
        {
            return invalid;
        }

        if (await Stale(command) is { } stale)
        {
            return stale;
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _known!;
        var levels = RhythmRules.Changed(known.Rhythm, change, now);
        var next = (known with { Rhythm = levels, Model = known.Model with { PreventiveNudges = change.PreventiveNudges.Over(known.Model.PreventiveNudges) ?? false } })
            .Feeling(await Sentiment(now), now);
        var outcome = Outcome<RhythmView>.Done(new RhythmView(levels, known.Curve, next.Model.PreventiveNudges, known.Model.Version + 1));
        return await Commit(known, next, "rhythm_changed", command, outcome, now, batch =>
        {
            if (levels.UpdatedAt is not null)
            {
                CompanionStore.SaveRhythm(batch, _key.Tenant, _key.Id, levels);
            }
        });
    }

    public async Task<Outcome<RhythmView>> SetCurve(Command command, DailyCurve curve)
    {
        if (FocusChecks.Check(curve) is { } invalid)
        {
            return invalid;
        }

        if (await Stale(command) is { } stale)
        {
            return stale;
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _known!;
        var now = Now();
        curve = curve with { UpdatedAt = now };
        var outcome = Outcome<RhythmView>.Done(new RhythmView(known.Rhythm, curve, known.Model.PreventiveNudges, known.Model.Version + 1));
        return await Commit(known, known with { Curve = curve }, "rhythm_changed", command, outcome, now,
            batch => CompanionStore.SaveCurve(batch, _key.Tenant, _key.Id, curve));
    }

    public Task<Outcome<PlannedTask>> AddTask(Command command, TaskChange task) => SaveTask(command, TaskRules.New(task, Now()), isNew: true);

    public async Task<Outcome<PlannedTask>> ChangeTask(Command command, Guid id, TaskChange change) =>
        await store.Task(_key.Tenant, _key.Id, id) is not { } task ? Refusal.NotFound("task")
        : command.Stale(task.Version) is { } stale ? stale
        : await SaveTask(command, TaskRules.Changed(task, change, Now()), isNew: false);

    private async Task<Outcome<PlannedTask>> SaveTask(Command command, PlannedTask task, bool isNew)
    {
        if (FocusChecks.Check(task) is { } invalid)
        {
            return invalid;
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _known!;
        var outcome = isNew ? Outcome<PlannedTask>.Created(task) : Outcome<PlannedTask>.Done(task);
        return await Commit(known, known, isNew ? "task_added" : "task_changed", command, outcome, task.UpdatedAt,
            batch => CompanionStore.SaveTask(batch, _key.Tenant, _key.Id, task),
            new JsonObject { ["task"] = JsonSerializer.SerializeToNode(task, Wire.Json) });
    }

    public async Task<Outcome<Nothing>> DeleteTask(Command command, Guid id)
    {
        if (await store.Task(_key.Tenant, _key.Id, id) is not { } task || await Person() is not { } known)
        {
            return Refusal.NotFound("task");
        }

        if (command.Stale(task.Version) is { } stale)
        {
            return stale;
        }

        return await store.IsBusy(_key.Tenant, _key.Id, id)
            ? Refusal.Conflict("task_in_use", "The person's live session is about this task: end it first.")
            : await Commit(known, known, "task_removed", command, Outcome<Nothing>.Deleted(), Now(),
                batch => CompanionStore.DeleteTask(batch, _key.Tenant, _key.Id, task), new JsonObject { ["taskId"] = id });
    }

    public async Task<Outcome<MemoryView>> Remember(Command command, NewMemory memory)
    {
        if (FocusChecks.Check(memory) is { } invalid)
        {
            return invalid;
        }

        if (await Missing(command) is { } missing)
        {
            return missing;
        }

        var known = _known!;
        var now = Now();
        var kept = new MemoryView(
            Guid.CreateVersion7(now), memory.Type, memory.Content, memory.Sentiment, memory.EmotionTags, null, now, Utc(memory.ExpiresAt));
        var says = kept.Sentiment is { } sentiment && !(kept.ExpiresAt <= now) ? new HeldSentiment(sentiment, kept.ExpiresAt) : null;
        var outcome = Outcome<MemoryView>.Created(kept);
        return await Commit(known, known.Feeling(says ?? await Sentiment(now), now), "memory_added", command, outcome, now,
            batch => CompanionStore.InsertMemory(batch, _key.Tenant, _key.Id, kept), new JsonObject { ["id"] = kept.Id, ["type"] = kept.Type });
    }

    public async Task<Outcome<Nothing>> ForgetMemory(Command command, Guid id)
    {
        if (await Person() is not { } known || await store.Memory(_key.Tenant, _key.Id, id) is not { } memory)
        {
            return Refusal.NotFound("memory");
        }

        var now = Now();
        return await Commit(known, known.Feeling(await store.Sentiment(_key.Tenant, _key.Id, now, without: id), now), "memory_removed", command,
            Outcome<Nothing>.Deleted(), now, batch =>
            {
                CompanionStore.DeleteMemory(batch, _key.Tenant, _key.Id, id);
                if (memory is { SessionId: { } session, Type: SummaryType })
                {
                    // It was what tells that the session's end has been counted.
                    batch.Answer(Note(session, "ended"), _key.Id, Told, now);
                }
            },
            new JsonObject { ["id"] = id });
    }

    private Command Note(Guid session, string what) => Command.OfService($"focus:{session}:{what}", _key.Id);

    public async Task NoteStarted(FocusSessionView session)
    {
        // The note's own id among the answered commands is what makes a second one harmless, also when the first was another activation's.
        var note = Note(session.Id, "started");
        if (_begun == session.Id || await log.Find(_key.Tenant, note.Caller, note.Id, CancellationToken.None) is not null || await Person() is not { } known)
        {
            return;
        }

        var told = new JsonObject { ["mode"] = SessionState.Word(session.Mode), ["startedAt"] = session.StartedAt, ["changes"] = new JsonObject(), ["sessionId"] = session.Id };
        var batch = Begin()
            .Append(_stream, _key.Id, "session_started", session.StartedAt, new JsonText(told.ToJsonString(Wire.Json)))
            .Answer(note, _key.Id, Outcome<Nothing>.Done(Nothing.Value), Now());
        await _owner.Commit(batch, events =>
        {
            _begun = session.Id;
            _known = known with { Seq = events[^1].Seq };
        });
    }

    public async Task NoteEnded(FocusSessionView session)
    {
        if (session is not { EndedAt: { } end, Summary: { } summary }
            || await Person() is not { } known
            || await store.IsSummedUp(_key.Tenant, _key.Id, session.Id, SummaryType)
            || await log.Find(_key.Tenant, Guid.Empty, Note(session.Id, "ended").Id, CancellationToken.None) is not null
            || await Surroundings(null) is not { } around)
        {
            return;
        }

        var now = Now();
        var day = RhythmRules.LocalDay(end, RhythmRules.Zone(around.TimeZone));
        var active = TimeSpan.FromSeconds(session.ActiveSecondsBefore);
        var habit = HabitRules.After(known.Model.Habit, day, active.TotalMinutes, session.CompletionScore);
        var memory = new MemoryView(Guid.CreateVersion7(now), SummaryType, JsonText.From(summary), null, [], session.Id, now, end + SummaryKept);
        await Commit(
            known, known with { Model = known.Model with { Habit = habit } }, "session_ended", null, Told, now,
            batch => CompanionStore.InsertMemory(batch, _key.Tenant, _key.Id, memory),
            new JsonObject
            {
                ["sessionId"] = session.Id,
                ["reason"] = SessionState.Word(session.EndReason!.Value),
                ["summary"] = JsonSerializer.SerializeToNode(summary, Wire.Json),
            });
    }

    public async Task RefreshEmotion()
    {
        if (await Person() is not { } known)
        {
            return;
        }

        var now = Now();
        var next = known.Feeling(await Sentiment(now), now);
        if (next.Model != known.Model)
        {
            await Commit(known, next, "emotion_changed", null, Told, now, static _ => { });
        }
    }

    public async Task LookAhead(bool inSession)
    {
        var now = Now();
        if (await Person() is not { Model.PreventiveAt: { } due } known || due > now || await Surroundings(null) is not { } around)
        {
            return;
        }

        known = known with { Zone = RhythmRules.Zone(around.TimeZone) };
        // In a session it is the session that speaks; this one looks again in a quarter of an hour.
        var nudge = inSession ? null : PreventiveRules.Decide(known.Moment, now);
        if (nudge is null)
        {
            var planned = known.Planned(now);
            var batch = Begin();
            CompanionStore.PlanNudge(batch, _key.Tenant, _key.Id, planned.Model);
            await _owner.Commit(batch, _ => _known = planned);
            return;
        }

        var said = PreventiveNudge.Say(nudge, now);
        var row = PreventiveNudge.ToRow(said, SessionState.Seen(around, now));
        await Commit(
            known, known.Saying(said), "nudge", null, Told, now, rows => CompanionStore.InsertNudge(rows, _key.Tenant, _key.Id, row),
            JsonSerializer.SerializeToNode(said, Wire.Json)!.AsObject(), said.EventId);
    }

    public async Task<Outcome<CompanionView>> AnswerNudge(Command command, Guid nudge, NudgeAnswer answer)
    {
        if (await Person() is not { } known || await store.Nudge(_key.Tenant, _key.Id, nudge) is null)
        {
            return Refusal.NotFound("nudge");
        }

        var now = Now();
        var next = known.Answered(nudge, answer);
        var outcome = Outcome<CompanionView>.Done(next.View with { Version = known.Model.Version + 1 });
        return await Commit(
            known, next, "nudge_answered", command, outcome, now,
            rows => CompanionStore.AnswerNudge(rows, _key.Tenant, _key.Id, nudge, SessionState.Word(answer), now),
            new JsonObject { ["eventId"] = nudge, ["answer"] = SessionState.Word(answer) });
    }

    public Task Forget()
    {
        _known = null;
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    /// <summary>One change of the companion: its rows, the model's version that orders them, one event with what changed, the answer.</summary>
    private async Task<Outcome<T>> Commit<T>(
        CompanionState before, CompanionState after, string type, Command? command, Outcome<T> outcome, DateTimeOffset now, Action<ScopedBatch> rows, JsonObject? data = null,
        Guid? id = null)
        where T : class
    {
        after = after.Planned(now);
        after = after with { Model = after.Model with { Version = before.Model.Version + 1 } };
        var told = data ?? [];
        told["changes"] = CompanionState.Difference(before, after);
        var batch = Begin();
        CompanionStore.SaveModel(batch, _key.Tenant, _key.Id, after.Model);
        rows(batch);
        batch.Append(_stream, _key.Id, type, now, new JsonText(told.ToJsonString(Wire.Json)), id);
        if (command is not null)
        {
            batch.Answer(command, _key.Id, outcome, now);
        }

        try
        {
            return outcome.After(await _owner.Commit(batch, events => _known = after with { Seq = events[^1].Seq }));
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            DeactivateOnIdle();
            throw new ActivationOutdatedException("The person was deleted.", e);
        }
    }

    /// <summary>
    /// The person, looked for again where there was none: it may have been registered since. Reads interleave: what a command
    /// has made known meanwhile is newer than what was read here.
    /// </summary>
    private async ValueTask<CompanionState?> Person()
    {
        if (_known is null && await store.Load(_key.Tenant, _key.Id, _owner.Epoch) is { } row)
        {
            var said = row.Model.Version == 0 ? [] : await store.Nudges(_key.Tenant, _key.Id, PreventiveRules.Remembered);
            _known ??= new CompanionState(
                _key.Id, row.Rhythm, row.Curve, row.Model, RhythmRules.Zone(row.TimeZone), said.Select(PreventiveNudge.From).ToArray(), row.Seq);
        }

        return _known;
    }

    /// <summary>Asked before anybody is registered: whom nobody knows yet is at version 0.</summary>
    private async Task<Refusal?> Stale(Command command)
    {
        var version = (await Person())?.Model.Version ?? 0;
        return command.Stale(version);
    }

    /// <summary>Refused if there is no such person and the caller may not have one registered on first use.</summary>
    private async Task<Refusal?> Missing(Command command) =>
        await Person() is not null ? null
        : await GrainFactory.Of<IUserGrain>(_key).RegisterOnFirstUse(command) is { } refusal ? refusal
        : await Person() is null ? Refusal.NotFound("user")
        : null;

    private Task<HeldSentiment?> Sentiment(DateTimeOffset now) => store.Sentiment(_key.Tenant, _key.Id, now);

    private ScopedBatch Begin() => database.Begin(RowScope.OfUser(_key.Tenant, _key.Id), _owner.Epoch);

    private static DateTimeOffset? Utc(DateTimeOffset? at) => at?.ToUniversalTime().ToMicroseconds();

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
