using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// One session. What falls due (ticks, the ends of breaks and countdowns, abandonment) is a time in its row; anybody may
/// wake it (<see cref="Wake"/>), and it does what is due by now, never early and once. Each turn computes the next state,
/// commits it with its events, and only then assigns and announces. A guard of a nudge and the nudge are one transaction,
/// because the row that holds what was said is the row whose version the transaction changes.
/// </summary>
[CollectionAgeLimit(Minutes = 2)]
public sealed partial class FocusSessionGrain(
    Database database, FocusStore store, Owners owners, Clock time)
    : Grain, IFocusSessionGrain, IRemindable
{
    private const string WakeReminder = "wake";

    // Punctuality is the sweep's (FocusSweep); the reminder is what is left if nothing sweeps. It comes with a tick, when the session is awake anyway.
    private static readonly TimeSpan RemindEvery = TimeSpan.FromMinutes(15);

    private OwnedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private SessionState? _state;
    private FocusPulse? _pulse;
    private long _seq;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = OwnedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Session(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Session, _key), _stream, () => _state?.Version ?? 0, DeactivateOnIdle);
        if (await store.Load(_key.Tenant, _key.Owner, _key.Id, _owner.Epoch) is { } row)
        {
            _state = SessionState.From(row);
            _seq = row.Seq;
        }
    }

    public Task<Read<FocusSessionView>?> Get() =>
        Task.FromResult(_state is { } state ? new Read<FocusSessionView>(state.View, database.Epoch, _seq) : null);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<FocusSessionView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public async Task<Outcome<FocusSessionView>> Start(Command command, FocusBegin begin)
    {
        if (_state is { } known)
        {
            return Outcome<FocusSessionView>.Done(known.View);
        }

        var now = Now();
        var around = begin.Around;
        var line = FocusTimeline.Start(now, begin.Mode, begin.Plan, begin.EstimatedMinutes);
        var start = SessionState.Seen(around, now);
        var turn = new SessionTurn(
            new SessionState(_key.Id, _key.Owner, begin.TaskId, line, NudgeLedger.Empty, FlowWindow.From(now), null, start, null, null, null, 1), FocusPulse.Empty);
        turn.Row("session_start", now, new JsonObject { ["mode"] = SessionState.Word(begin.Mode) }, snapshots: start);
        turn.Event("started", now, []);
        Look(turn, around, now, tick: 0);
        // Before the commit: a reminder without a session removes itself, a session without one would depend on the sweep alone.
        await this.RegisterOrUpdateReminder(WakeReminder, RemindEvery, RemindEvery);

        try
        {
            return await Commit(turn, command, now, isNew: true);
        }
        catch (PostgresException e) when (e.IsUnique(FocusStore.LiveKey))
        {
            DeactivateOnIdle();
            return Refusal.Conflict(FocusRefusals.SessionRunning, "The person has a live session already.");
        }
    }

    public async Task<Outcome<FocusSessionView>> Ping(Command command, Biomarkers biomarkers)
    {
        if (FocusChecks.Check(biomarkers) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        await CatchUp(now);
        if (CheckLive(command) is { } refusal)
        {
            return refusal;
        }

        var state = _state!;
        var turn = new SessionTurn(state, await Pulse(now));
        var ping = new PingSample(now, biomarkers.Focus, biomarkers.Energy, biomarkers.Stress, biomarkers.IdleSeconds, biomarkers.Distractions);
        turn.Pulse = turn.Pulse.With(ping);
        turn.Take(state.Line.Ping(now, biomarkers.IdleSeconds));
        turn.Row("ping", now, JsonNode.Parse(biomarkers.All.Json)!.AsObject());
        if (ping is { Distractions: > 0 } or { Focus: < FlowWindow.FocusOfFlow } or { IdleSeconds: >= FocusTimeline.IdlePingSeconds })
        {
            turn.Disturb(now);
        }

        // A ping that says nothing changes no picture.
        if ((ping.Focus ?? ping.IdleSeconds ?? ping.Distractions) is not null
            && await Companion.Surroundings(state.TaskId) is { } around)
        {
            Look(turn, around, now, tick: null);
        }

        return await Commit(turn, command, now);
    }

    public async Task<Outcome<FocusSessionView>> Change(Command command, SessionChange change)
    {
        if (FocusChecks.Check(change) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        await CatchUp(now);
        if (CheckLive(command) is { } refusal)
        {
            return refusal;
        }

        var state = _state!;
        var turn = new SessionTurn(state, await Pulse(now));
        if (change.Kind == SessionChangeKind.Snooze)
        {
            turn.Snooze(now, now.AddMinutes(change.Minutes!.Value));
            return await Commit(turn, command, now);
        }

        var line = state.Line;
        var step = change.Kind switch
        {
            SessionChangeKind.Pause => line.Pause(now),
            SessionChangeKind.Resume => line.Resume(now),
            SessionChangeKind.Break => line.TakeBreak(now, change.Minutes, change.Break),
            SessionChangeKind.SkipBreak => line.SkipBreak(now),
            SessionChangeKind.Extend => line.Extend(now, change.Minutes!.Value),
            SessionChangeKind.IdleReturn => line.ReturnFromIdle(now, change.Idle!.Value),
            _ => throw new ArgumentOutOfRangeException(nameof(change)),
        };
        if (step.IsRepeat)
        {
            return await Unchanged(command, state, now);
        }

        turn.Take(step);
        return await Commit(turn, command, now);
    }

    public async Task<Outcome<FocusSessionView>> End(Command command, SessionEnd end)
    {
        if (FocusChecks.Check(end) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        await CatchUp(now);
        if (_state is not { } state)
        {
            return Refusal.NotFound("session");
        }

        if (!state.Line.IsLive)
        {
            return await Unchanged(command, state, now);
        }

        if (command.Stale(state.Shown) is { } stale)
        {
            return stale;
        }

        var quality = end.SessionQuality is { } given ? JsonNode.Parse(given.Json)!.AsObject() : [];
        quality["early_end"] = end.EarlyEnd;
        var turn = new SessionTurn(
            state with { Score = end.CompletionScore, Quality = new JsonText(quality.ToJsonString(Wire.Json)) }, await Pulse(now));
        await Finish(turn, state.Line.End(now, end.EarlyEnd ? FocusEnd.Early : FocusEnd.Finished));
        return await Commit(turn, command, now);
    }

    public async Task<FocusSessionView?> TakeOver()
    {
        var now = Now();
        await CatchUp(now);
        if (_state is not { Line.IsLive: true } state)
        {
            return null;
        }

        var turn = new SessionTurn(state, await Pulse(now));
        await Finish(turn, state.Line.End(now, FocusEnd.TakenOver));
        return (await Commit(turn, null, now)).Value;
    }

    public async Task<Outcome<FocusSessionView>> AnswerNudge(Command command, Guid nudge, NudgeAnswer answer)
    {
        var now = Now();
        await CatchUp(now);
        if (_state is not { } state)
        {
            return Refusal.NotFound("session");
        }

        var said = (await store.Events(_key.Tenant, _key.Owner, _key.Id, state.Line.StartedAt)).Find(e => e.Id == nudge);
        if (said is null || !Enum.GetValues<NudgeType>().Any(type => SessionState.Word(type) == said.Type))
        {
            return Refusal.NotFound("nudge");
        }

        if (said.Answer == SessionState.Word(answer))
        {
            return await Unchanged(command, state, now);
        }

        if (command.Stale(state.Shown) is { } stale)
        {
            return stale;
        }

        var turn = new SessionTurn(state, await Pulse(now)) { Answered = (nudge, SessionState.Word(answer)) };
        if (state.LastNudge is { } last && last.EventId == nudge)
        {
            turn.Next = turn.Next with { LastNudge = last with { Answer = answer } };
        }

        if (answer == NudgeAnswer.Snooze15 && state.Line.IsLive)
        {
            turn.Snooze(now, now.AddMinutes(15));
        }

        turn.Event("nudge_answered", now, new JsonObject { ["eventId"] = nudge, ["answer"] = SessionState.Word(answer) });
        return await Commit(turn, command, now);
    }

    private async Task<Outcome<FocusSessionView>> Commit(SessionTurn turn, Command? command, DateTimeOffset now, bool isNew = false)
    {
        var before = isNew ? null : _state;
        turn.TellFlow(now);
        var next = turn.Next with { Version = (before?.Version ?? 0) + 1 };
        var changes = MergePatch.Difference(
            before is null ? [] : JsonSerializer.SerializeToNode(before.View, Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(next.View, Wire.Json)!.AsObject());
        if (before is not null && changes.Count > 0)
        {
            next = next with { Shown = before.Shown + 1 };
            changes["version"] = next.Shown;
        }

        var view = next.View;
        var outcome = isNew ? Outcome<FocusSessionView>.Created(view) : Outcome<FocusSessionView>.Done(view);

        var batch = database.Begin(RowScope.OfUser(_key.Tenant, _key.Owner), _owner.Epoch);
        if (isNew)
        {
            FocusStore.Insert(batch, _key.Tenant, next.ToRow());
        }
        else
        {
            FocusStore.Update(batch, _key.Tenant, next.ToRow());
        }

        foreach (var row in turn.Rows)
        {
            FocusStore.InsertEvent(batch, _key.Tenant, _key.Id, _key.Owner, row);
        }

        if (turn.Answered is { } answered)
        {
            FocusStore.AnswerNudge(batch, _key.Tenant, _key.Id, answered.Nudge, answered.Answer, now);
        }

        var told = false;
        foreach (var (type, at, data, id) in turn.EventsOf(changes, now))
        {
            batch.Append(_stream, _key.Owner, type, at, data, id);
            told = true;
        }

        if (isNew || (!next.Line.IsLive && before is { Line.IsLive: true }))
        {
            var payload = JsonText.From(new SessionTask(_key.Owner, _key.Id));
            batch.Task(isNew ? SessionStartedTask.Kind : SessionEndedTask.Kind, payload, now);
        }

        outcome = told ? outcome : outcome.Since(database.Epoch, _seq);
        if (command is not null)
        {
            batch.Answer(command, _key.Owner, outcome, now);
        }

        return outcome.After(await _owner.Commit(batch, events =>
        {
            _state = next;
            _pulse = turn.Pulse;
            _seq = events.Count > 0 ? events[^1].Seq : _seq;
        }));
    }

    /// <summary>The rolling windows, made from the session's events when it comes back to memory.</summary>
    private async ValueTask<FocusPulse> Pulse(DateTimeOffset now)
    {
        if (_pulse is null)
        {
            var state = _state!;
            _pulse = state is { Line.Pings: 0, Samples: 0 } ? FocusPulse.Empty
                : SessionHistory.Pulse(state.Line, await store.Events(_key.Tenant, _key.Owner, _key.Id, now - FocusPulse.Reach - FocusTimeline.Punctual));
        }

        return _pulse;
    }

    private Task<Outcome<FocusSessionView>> Unchanged(Command command, SessionState state, DateTimeOffset now) => _owner.Unchanged(
        database.Begin(RowScope.OfUser(_key.Tenant, _key.Owner), _owner.Epoch), command, _key.Owner,
        Outcome<FocusSessionView>.Done(state.View).Since(database.Epoch, _seq), now);

    private Refusal? CheckLive(Command command) => _state switch
    {
        null => Refusal.NotFound("session"),
        { Line.IsLive: false } ended => new Refusal(RefusalKind.Conflict, FocusRefusals.SessionEnded, $"The session ended at {ended.Line.EndedAt:O}."),
        var live => command.Stale(live.Shown),
    };

    private ICompanionGrain Companion => GrainFactory.Of<ICompanionGrain>(new TenantScopedKey(_key.Tenant, _key.Owner));

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
