using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// What accompanies a person across sessions. Sessions begin through it, so that of two starts at once one waits for the
/// other; that there is one live session is the table's law. An ended session comes back through the outbox
/// (<see cref="NoteEnded"/>): its memory, unique by session, says that habit and memory have it already.
/// </summary>
public sealed class CompanionGrain(Database database, CompanionStore store, FocusStore sessions, EventFeed feed, Clock time)
    : Grain, ICompanionGrain
{
    public const string SummaryType = "focus_session_summary";

    private static readonly TimeSpan SummaryKept = TimeSpan.FromDays(14);
    private static readonly string NoFingerprint = new('0', 64);

    private TenantScopedKey _key;
    private string _stream = "";
    private Known? _known;

    /// <summary>The session that began last, if it may still be live.</summary>
    private Guid? _liveSession;

    /// <summary>What is held of an existing person; one reference, so that interleaving reads see all of one moment.</summary>
    /// <param name="Zone">As it was when last looked at: good enough to plan by, not to speak by.</param>
    /// <param name="Said">The newest nudges outside sessions, the newest first.</param>
    private sealed record Known(RhythmLevels Rhythm, DailyCurve? Curve, PersonalModel Model, TimeZoneInfo Zone, Items<NudgeView> Said, long Seq);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Companion(_key.Id);
        await Reload();
        _liveSession = (await sessions.Live(_key.Tenant, _key.Id))?.Id;
    }

    /// <summary>Reads interleave: what a command has made known meanwhile is newer than what was read here.</summary>
    private async Task Reload()
    {
        if (await store.Load(_key.Tenant, _key.Id, _stream) is { } row)
        {
            var said = row.Model.Version == 0 ? [] : await store.Nudges(_key.Tenant, _key.Id, PreventiveRules.Remembered);
            _known ??= new Known(row.Rhythm, row.Curve, row.Model, RhythmRules.Zone(row.TimeZone), said.Select(NudgeOf).ToArray(), row.Seq);
        }
    }

    public async Task<Read<CompanionView>?> Get() =>
        await Person() is { } known ? new Read<CompanionView>(View(known), database.Epoch, known.Seq) : null;

    public async ValueTask<FocusSessionView?> Live()
    {
        if (_liveSession is not { } id)
        {
            return null;
        }

        if (await Session(id).Get() is { Value.State: not FocusState.Ended } read)
        {
            return read.Value;
        }

        if (_liveSession == id)
        {
            _liveSession = null;
        }

        return null;
    }

    public async Task<Outcome<FocusSessionView>> Start(Command command, FocusStart start)
    {
        if (FocusChecks.Check(start) is { } invalid)
        {
            return invalid;
        }

        for (var attempt = 0; ; attempt++)
        {
            if (await sessions.Live(_key.Tenant, _key.Id) is { } live)
            {
                _liveSession = live.Id;
                var running = Session(live.Id);
                await running.Wake();
                if (await running.Get() is { Value.State: not FocusState.Ended } read)
                {
                    if (start.ArrivedAt <= read.Value.StartedAt && IsSame(start, read.Value))
                    {
                        var joined = Outcome<FocusSessionView>.Done(read.Value);
                        if (command.IsNamed)
                        {
                            await Begin().Answer(command, _key.Id, joined, Now()).Commit(DeactivateOnIdle);
                        }

                        return joined;
                    }

                    if (!start.TakeOver)
                    {
                        return new Refusal(
                            RefusalKind.Conflict, FocusRefusals.SessionRunning, "The person has a live session: end it, or start with 'takeover'.", null,
                            JsonText.From(new { sessionId = live.Id }));
                    }

                    await running.TakeOver();
                    await NoteEnded(live.Id);
                }
            }

            var id = Guid.CreateVersion7(time.GetUtcNow());
            var outcome = await Begin(command, id, start);
            if (outcome.Refusal?.Code == FocusRefusals.SessionRunning && attempt == 0)
            {
                continue;
            }

            if (outcome.Value is not null)
            {
                await NoteStarted(id);
            }

            return outcome;
        }
    }

    private async Task<Outcome<FocusSessionView>> Begin(Command command, Guid id, FocusStart start)
    {
        try
        {
            var outcome = await Session(id).Start(command, new FocusBegin(start.Mode, start.TaskId, start.EstimatedMinutes, start.Plan ?? new FocusPlan()));
            if (outcome.Value is not null)
            {
                _liveSession = id;
            }

            return outcome;
        }
        catch
        {
            // Whether it began is not known here; a fresh activation looks.
            DeactivateOnIdle();
            throw;
        }
    }

    private static bool IsSame(FocusStart start, FocusSessionView view) =>
        view.Mode == start.Mode && view.TaskId == start.TaskId && view.EstimatedMinutes == start.EstimatedMinutes;

    public async Task<Outcome<RhythmView>> SetRhythm(Command command, RhythmLevels levels, bool? preventiveNudges)
    {
        if (FocusChecks.Check(levels) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known)
        {
            return Refusal.NotFound("user");
        }

        if (command.IfMatch is { } expected && expected != known.Model.Version)
        {
            return Refusal.Stale(expected, known.Model.Version);
        }

        var now = Now();
        levels = levels with { UpdatedAt = now, NextPeak = Utc(levels.NextPeak), NextLull = Utc(levels.NextLull) };
        var model = await WithEmotion(known.Model, levels, now, null);
        var next = known with { Rhythm = levels, Model = model with { PreventiveNudges = preventiveNudges ?? model.PreventiveNudges } };
        var outcome = Outcome<RhythmView>.Done(new RhythmView(levels, known.Curve, next.Model.PreventiveNudges, known.Model.Version + 1));
        await Commit(known, next, "rhythm_changed", command, outcome, now, batch => CompanionStore.SaveRhythm(batch, _key.Tenant, _key.Id, levels));
        return outcome;
    }

    public async Task<Outcome<RhythmView>> SetCurve(Command command, DailyCurve curve)
    {
        if (FocusChecks.Check(curve) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known)
        {
            return Refusal.NotFound("user");
        }

        if (command.IfMatch is { } expected && expected != known.Model.Version)
        {
            return Refusal.Stale(expected, known.Model.Version);
        }

        var now = Now();
        curve = curve with { UpdatedAt = now };
        var outcome = Outcome<RhythmView>.Done(new RhythmView(known.Rhythm, curve, known.Model.PreventiveNudges, known.Model.Version + 1));
        await Commit(known, known with { Curve = curve }, "rhythm_changed", command, outcome, now,
            batch => CompanionStore.SaveCurve(batch, _key.Tenant, _key.Id, curve));
        return outcome;
    }

    public Task<Outcome<PlannedTask>> AddTask(Command command, TaskChange task)
    {
        var now = Now();
        return SaveTask(command, new PlannedTask(
            Guid.CreateVersion7(now), task.Title.Value ?? "", task.Energy.Value, task.Ease.Value, task.Status.Value ?? PlannedStatus.Open,
            task.EstimateMinutes.Value, now, now, 1), isNew: true);
    }

    public async Task<Outcome<PlannedTask>> ChangeTask(Command command, Guid id, TaskChange change) =>
        await store.Task(_key.Tenant, _key.Id, id) is not { } task ? Refusal.NotFound("task")
        : command.IfMatch is { } expected && expected != task.Version ? Refusal.Stale(expected, task.Version)
        : await SaveTask(command, task with
        {
            Title = change.Title.Over(task.Title) ?? "",
            Energy = change.Energy.Over(task.Energy),
            Ease = change.Ease.Over(task.Ease),
            Status = change.Status.Over(task.Status) ?? PlannedStatus.Open,
            EstimateMinutes = change.EstimateMinutes.Over(task.EstimateMinutes),
            UpdatedAt = Now(),
            Version = task.Version + 1,
        }, isNew: false);

    private async Task<Outcome<PlannedTask>> SaveTask(Command command, PlannedTask task, bool isNew)
    {
        if (FocusChecks.Check(task) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var outcome = isNew ? Outcome<PlannedTask>.Created(task) : Outcome<PlannedTask>.Done(task);
        await Commit(known, known, isNew ? "task_added" : "task_changed", command, outcome, task.UpdatedAt,
            batch => CompanionStore.SaveTask(batch, _key.Tenant, _key.Id, task), Data("task", task));
        return outcome;
    }

    public async Task<Outcome<MemoryView>> Remember(Command command, NewMemory memory)
    {
        if (FocusChecks.Check(memory) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var now = Now();
        var kept = new MemoryView(
            Guid.CreateVersion7(now), memory.Type, memory.Content, memory.Sentiment, memory.EmotionTags, null, now, Utc(memory.ExpiresAt));
        var says = kept.Sentiment is { } sentiment && !(kept.ExpiresAt <= now) ? new HeldSentiment(sentiment, kept.ExpiresAt) : null;
        var outcome = Outcome<MemoryView>.Created(kept);
        await Commit(known, known with { Model = await WithEmotion(known.Model, known.Rhythm, now, says) }, "memory_added", command, outcome, now,
            batch => CompanionStore.InsertMemory(batch, _key.Tenant, _key.Id, kept), new JsonObject { ["id"] = kept.Id, ["type"] = kept.Type });
        return outcome;
    }

    public async Task NoteStarted(Guid session)
    {
        if (await Person() is not { } known || await sessions.Load(_key.Tenant, _key.Id, session, StreamName.Session(session)) is not { } row)
        {
            return;
        }

        // The note's own id in the log of commands is what makes a second one harmless.
        var note = new Command($"focus:{session}:started", Guid.Empty, NoFingerprint, new Actor(ActorKind.Service, _key.Id));
        var batch = Begin();
        batch.Append(_stream, _key.Id, "session_started", row.Start, Told(session, new JsonObject { ["mode"] = row.Mode, ["startedAt"] = row.Start, ["changes"] = new JsonObject() }));
        batch.Answer(note, _key.Id, Outcome<Nothing>.Done(Nothing.Value), Now());
        try
        {
            var events = await batch.Commit(DeactivateOnIdle);
            _known = known with { Seq = events[^1].Seq };
            feed.Announce(_key.Tenant, events);
        }
        catch (CommandRepeatedException)
        {
            // It was told before.
        }
    }

    public async Task NoteEnded(Guid session)
    {
        if (await Person() is not { } known
            || await sessions.Load(_key.Tenant, _key.Id, session, StreamName.Session(session)) is not { End: { } end, Summary: { } summary } row
            || await store.IsSummedUp(_key.Tenant, _key.Id, session, SummaryType)
            || await sessions.Around(_key.Tenant, _key.Id, null, end) is not { } around)
        {
            return;
        }

        var now = Now();
        var line = SessionState.From(row).Line;
        var day = RhythmRules.LocalDay(end, RhythmRules.Zone(around.TimeZone));
        var habit = HabitRules.After(known.Model.Habit, day, line.Active(end).TotalMinutes, row.Score);
        var memory = new MemoryView(Guid.CreateVersion7(now), SummaryType, summary, null, [], session, now, end + SummaryKept);
        var next = known with { Model = known.Model with { Habit = habit } };
        await Commit<Nothing>(known, next, "session_ended", null, null, now, batch => CompanionStore.InsertMemory(batch, _key.Tenant, _key.Id, memory),
            new JsonObject { ["sessionId"] = session, ["reason"] = row.EndReason, ["summary"] = JsonNode.Parse(summary.Json) });
    }

    public async Task RefreshEmotion()
    {
        if (await Person() is not { } known)
        {
            return;
        }

        var now = Now();
        var model = await WithEmotion(known.Model, known.Rhythm, now, null);
        if (model != known.Model)
        {
            await Commit<Nothing>(known, known with { Model = model }, "emotion_changed", null, null, now, static _ => { });
        }
    }

    public async Task LookAhead()
    {
        var now = Now();
        if (await Person() is not { Model.PreventiveAt: { } due } known || due > now || await sessions.Around(_key.Tenant, _key.Id, null, now) is not { } around)
        {
            return;
        }

        known = known with { Zone = RhythmRules.Zone(around.TimeZone) };
        // In a session it is the session that speaks; this one looks again in a quarter of an hour.
        var nudge = await sessions.Live(_key.Tenant, _key.Id) is null ? PreventiveRules.Decide(Moment(known), now) : null;
        if (nudge is null)
        {
            var planned = known with { Model = Planned(known, now) };
            var batch = Begin();
            CompanionStore.PlanNudge(batch, _key.Tenant, _key.Id, planned.Model);
            await batch.Commit(DeactivateOnIdle);
            _known = planned;
            return;
        }

        var said = new NudgeView(Guid.CreateVersion7(now), nudge.Type, nudge.Words, nudge.Reason, nudge.Rule, now, nudge.Recovery);
        var rhythm = RhythmRules.Snapshot(known.Rhythm, known.Curve, known.Zone, now);
        var content = JsonText.From(new SaidContent(said, rhythm, EmotionRules.Snapshot(known.Model.Emotion, rhythm, around.HabitStrength, around.Tags)));
        await Commit<Nothing>(
            known, known with { Said = known.Said.Prepend(said).Take(PreventiveRules.Remembered).ToArray() }, "nudge", null, null, now,
            rows => CompanionStore.InsertNudge(
                rows, _key.Tenant, _key.Id, new CompanionNudgeRow(said.EventId, now, SessionState.Word(said.Type), said.Rule, content, null, null)),
            JsonSerializer.SerializeToNode(said, Wire.Json)!.AsObject());
    }

    public async Task<Outcome<CompanionView>> AnswerNudge(Command command, Guid nudge, NudgeAnswer answer)
    {
        if (await Person() is not { } known || await store.Nudge(_key.Tenant, _key.Id, nudge) is null)
        {
            return Refusal.NotFound("nudge");
        }

        var now = Now();
        var next = known with { Said = known.Said.Select(said => said.EventId == nudge ? said with { Answer = answer } : said).ToArray() };
        var outcome = Outcome<CompanionView>.Done(View(next) with { Version = known.Model.Version + 1 });
        await Commit(
            known, next, "nudge_answered", command, outcome, now,
            rows => CompanionStore.AnswerNudge(rows, _key.Tenant, _key.Id, nudge, SessionState.Word(answer), now),
            new JsonObject { ["eventId"] = nudge, ["answer"] = SessionState.Word(answer) });
        return outcome;
    }

    /// <summary>What a row of companion_nudges keeps of a nudge.</summary>
    private sealed record SaidContent(NudgeView Nudge, RhythmSnapshot Rhythm, EmotionSnapshot Emotion);

    private static NudgeView NudgeOf(CompanionNudgeRow row) => row.Content.Read<SaidContent>().Nudge with
    {
        Answer = row.Answer is { } answer ? SessionState.Parse<NudgeAnswer>(answer) : null,
    };

    private static PreventiveMoment Moment(Known known) => new(
        known.Rhythm, known.Curve, known.Zone, known.Model.Emotion, [.. known.Said.Select(said => new SaidNudge(said.At, said.Rule))]);

    /// <summary>The model with the time at which a nudge outside sessions may be due next.</summary>
    private static PersonalModel Planned(Known known, DateTimeOffset now) => known.Model with
    {
        PreventiveAt = known.Model.PreventiveNudges ? PreventiveRules.Next(Moment(known), now) : null,
    };

    public async Task<FocusStats?> Stats(int days)
    {
        var now = Now();
        if (await Person() is not { } known || await sessions.Around(_key.Tenant, _key.Id, null, now) is not { } around)
        {
            return null;
        }

        var zone = RhythmRules.Zone(around.TimeZone);
        var since = StatsRules.StartOfDay(RhythmRules.LocalDay(now, zone).AddDays(1 - days), zone);
        var ended = await EndedSince(since);
        var answers = await sessions.Answers(_key.Tenant, _key.Id, since);
        return StatsRules.Of(days, now, zone, ended, known.Model.Habit,
            (int)answers.Where(a => a.Answer == "helpful").Sum(a => a.Count), (int)answers.Sum(a => a.Count));
    }

    public async Task<NextSlot?> NextSlot(int minutes) =>
        await sessions.Around(_key.Tenant, _key.Id, null, Now()) is { } around
            ? NextSlotRules.Find(around.Curve, RhythmRules.Zone(around.TimeZone), Now(), minutes)
            : null;

    public async Task<ExportText?> Export(ExportFormat format, int days)
    {
        var now = Now();
        return await sessions.Around(_key.Tenant, _key.Id, null, now) is { } around
            ? FocusExports.Of(format, await EndedSince(now.AddDays(-days)), RhythmRules.Zone(around.TimeZone), now)
            : null;
    }

    private async Task<List<EndedSession>> EndedSince(DateTimeOffset since) =>
        [.. (await sessions.EndedSince(_key.Tenant, _key.Id, since)).Select(row =>
        {
            var state = SessionState.From(row);
            return new EndedSession(
                row.Id, row.Start, row.End!.Value, state.Line.Mode, state.StartState.Task.Title, row.Estimated, row.ActualMinutes ?? 0, row.Score, state.Summary?.FlowQuality);
        })];

    /// <param name="added">A sentiment that this very command adds; it is the newest.</param>
    private async Task<PersonalModel> WithEmotion(PersonalModel model, RhythmLevels rhythm, DateTimeOffset now, HeldSentiment? added)
    {
        var held = added ?? await store.Sentiment(_key.Tenant, _key.Id, now);
        var fresh = RhythmRules.IsFresh(rhythm.UpdatedAt, now);
        // A tone holds to the end of its day; looked at right after, it is gone.
        var until = held is not null ? held.Until
            : fresh && rhythm.EmotionTone is not null ? rhythm.UpdatedAt + RhythmRules.FreshFor + TimeSpan.FromSeconds(1)
            : null;
        return model with { Emotion = EmotionRules.Mood(held?.Sentiment, fresh ? rhythm.EmotionTone : null), EmotionUntil = until };
    }

    /// <summary>One change of the companion: its rows, the model's version that orders them, one event with what changed, the answer.</summary>
    private async Task Commit<T>(
        Known before, Known after, string type, Command? command, Outcome<T>? outcome, DateTimeOffset now, Action<ScopedBatch> rows, JsonObject? data = null)
        where T : class
    {
        after = after with { Model = Planned(after, now) with { Version = before.Model.Version + 1 } };
        var told = data ?? [];
        told["changes"] = MergePatch.Difference(
            JsonSerializer.SerializeToNode(View(before), Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(View(after), Wire.Json)!.AsObject());
        var batch = Begin();
        CompanionStore.SaveModel(batch, _key.Tenant, _key.Id, after.Model);
        rows(batch);
        batch.Append(_stream, _key.Id, type, now, new JsonText(told.ToJsonString(Wire.Json)));
        if (command is not null && outcome is not null)
        {
            batch.Answer(command, _key.Id, outcome, now);
        }

        var events = await batch.Commit(DeactivateOnIdle);
        _known = after with { Seq = events[^1].Seq };
        feed.Announce(_key.Tenant, events);
    }

    /// <summary>The person, looked for again where there was none: it may have been registered since.</summary>
    private async ValueTask<Known?> Person()
    {
        if (_known is null)
        {
            await Reload();
        }

        return _known;
    }

    private static JsonText Told(Guid session, JsonObject data)
    {
        data["sessionId"] = session;
        return new JsonText(data.ToJsonString(Wire.Json));
    }

    private static JsonObject Data<T>(string name, T value) => new() { [name] = JsonSerializer.SerializeToNode(value, Wire.Json) };

    private CompanionView View(Known known) => new(_key.Id, known.Rhythm, known.Curve, known.Model.Emotion, known.Model.Habit, known.Model.Version, known.Model.PreventiveNudges,
        known.Said.Count > 0 ? known.Said[0] : null);

    private IFocusSessionGrain Session(Guid id) => GrainFactory.Of<IFocusSessionGrain>(new OwnedKey(_key.Tenant, _key.Id, id));

    private ScopedBatch Begin() => database.Begin(RowScope.OfUser(_key.Tenant, _key.Id));

    private static DateTimeOffset? Utc(DateTimeOffset? at) => at?.ToUniversalTime().ToMicroseconds();

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
