using System.Collections.Immutable;
using System.Text.Json.Serialization;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

public enum TimelineChange
{
    Paused,
    Resumed,
    BreakStarted,
    BreakOver,
    Extended,
    IdleStarted,
    IdleEnded,
    Ended,
}

/// <summary>A change of a session that happened, at its own moment: a break that was over while nobody looked is over at its planned time.</summary>
/// <param name="Idle">What became of the time nobody was there.</param>
public readonly record struct Transition(TimelineChange Change, DateTimeOffset At, int? Minutes = null, IdleAnswer? Idle = null);

/// <summary>A timeline and what changed on the way to it. Without changes the command was a repeat.</summary>
public readonly record struct Step(FocusTimeline Next, ImmutableArray<Transition> Changes)
{
    public bool IsRepeat => Changes.IsEmpty;
}

/// <summary>
/// When a session worked, paused and rested. Immutable and without a clock: every command takes the moment it happens at,
/// and a repeated command changes nothing. Active time is wall time less pauses, breaks and idleness, except what the person
/// calls work; idleness that nobody answers for is struck out when the session ends.
/// What falls due by itself (the end of a break, of a pomodoro's work, of a countdown, idleness) happens in <see cref="Advance"/>,
/// which every command goes through first; so the order of what was due and what was asked is the order of their times.
/// </summary>
public sealed record FocusTimeline
{
    public static readonly TimeSpan TickEvery = TimeSpan.FromMinutes(5);

    /// <summary>A tick that is later than this counts from when it ran.</summary>
    public static readonly TimeSpan Punctual = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan SilenceIsIdle = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan SilenceAbandons = TimeSpan.FromMinutes(60);
    public static readonly TimeSpan LeastBeforeAbandoned = TimeSpan.FromHours(4);
    public const int IdlePingSeconds = 180;

    public required DateTimeOffset StartedAt { get; init; }

    public required FocusMode Mode { get; init; }

    public required FocusPlan Plan { get; init; }

    public int? EstimatedMinutes { get; init; }

    public FocusState State { get; init; }

    /// <summary>When <see cref="State"/> began; the totals are of all that was before.</summary>
    public required DateTimeOffset Since { get; init; }

    public TimeSpan ActiveBefore { get; init; }

    public TimeSpan PausedBefore { get; init; }

    public TimeSpan BreaksBefore { get; init; }

    public TimeSpan Discarded { get; init; }

    /// <summary>Active time when the last break ended, so that "minutes since a break" is a difference.</summary>
    public TimeSpan ActiveAtBreak { get; init; }

    /// <summary>The active time at which work is over: a pomodoro's interval, a countdown. None in the free modes.</summary>
    public TimeSpan? WorkUntil { get; init; }

    public DateTimeOffset? BreakUntil { get; init; }

    public BreakKind? Break { get; init; }

    /// <summary>Work intervals of a pomodoro that were completed.</summary>
    public int Intervals { get; init; }

    /// <summary>The number of the next tick, due at start + 5 min × number. Tick 0 runs with the start.</summary>
    public int NextTick { get; init; } = 1;

    public DateTimeOffset? IdleSince { get; init; }

    /// <summary>When the idle person was heard of again; the question what to do with the time is still open.</summary>
    public DateTimeOffset? IdleUntil { get; init; }

    /// <summary>Idleness before this one for which nobody answered yet: the answer is for all of it.</summary>
    public TimeSpan IdlePending { get; init; }

    /// <summary>How much of what nobody answered for was before the last break.</summary>
    public TimeSpan IdleBeforeBreak { get; init; }

    /// <summary>The last command or ping: a sign that somebody is there.</summary>
    public required DateTimeOffset LastSeen { get; init; }

    public int Pings { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public FocusEnd? EndReason { get; init; }

    public static FocusTimeline Start(DateTimeOffset now, FocusMode mode, FocusPlan plan, int? estimatedMinutes) => new()
    {
        StartedAt = now,
        Mode = mode,
        Plan = plan,
        EstimatedMinutes = estimatedMinutes,
        Since = now,
        LastSeen = now,
        WorkUntil = mode switch
        {
            FocusMode.Pomodoro => TimeSpan.FromMinutes(plan.Work),
            FocusMode.Countdown => TimeSpan.FromMinutes(estimatedMinutes ?? plan.Work),
            _ => null,
        },
    };

    [JsonIgnore]
    public bool IsLive => State != FocusState.Ended;

    [JsonIgnore]
    public DateTimeOffset? NextTickAt => IsLive ? StartedAt + (TickEvery * NextTick) : null;

    /// <summary>When the running phase ends by itself: a break, a pomodoro's work, a countdown.</summary>
    [JsonIgnore]
    public DateTimeOffset? PhaseEndsAt => State switch
    {
        FocusState.Active when WorkUntil is { } target => target > ActiveBefore ? Since + (target - ActiveBefore) : Since,
        FocusState.OnBreak => BreakUntil,
        _ => null,
    };

    public TimeSpan Active(DateTimeOffset now) => ActiveBefore + (State == FocusState.Active ? now - Since : TimeSpan.Zero);

    public TimeSpan ActiveSinceBreak(DateTimeOffset now) => Active(now) > ActiveAtBreak ? Active(now) - ActiveAtBreak : TimeSpan.Zero;

    /// <summary>When the session counts as abandoned if nobody is heard of until then.</summary>
    [JsonIgnore]
    public DateTimeOffset AbandonedAt
    {
        get
        {
            var twice = TimeSpan.FromMinutes(2.0 * (EstimatedMinutes ?? 0));
            var old = StartedAt + (twice > LeastBeforeAbandoned ? twice : LeastBeforeAbandoned);
            var silent = LastSeen + SilenceAbandons;
            return old > silent ? old : silent;
        }
    }

    /// <summary>The newest tick that is due, or none: ticks that nobody ran coalesce into it. Never one of the future.</summary>
    public int? DueTick(DateTimeOffset now)
    {
        if (!IsLive || now < NextTickAt)
        {
            return null;
        }

        return (int)((now - StartedAt).Ticks / TickEvery.Ticks);
    }

    /// <summary>
    /// The moment that a look at the person counts as: a tick's due time, which is exact where the wake-up is a little late,
    /// so that intervals of whole ticks are whole. None is ever early.
    /// </summary>
    public DateTimeOffset Counted(int? tick, DateTimeOffset now) =>
        StartedAt + (TickEvery * tick) is { } due && now - due <= Punctual ? due : now;

    /// <summary>Everything that falls due by itself until now, each thing at its own time.</summary>
    public Step Advance(DateTimeOffset now)
    {
        var changes = ImmutableArray.CreateBuilder<Transition>();
        var line = this;
        while (line.IsLive)
        {
            var phase = line.PhaseEndsAt ?? DateTimeOffset.MaxValue;
            // Nobody is there: it ends with the first tick after, however late that tick is run.
            var abandoned = line.AbandonmentTick();
            var idle = line.IdleAt ?? DateTimeOffset.MaxValue;
            if (idle <= phase && idle <= abandoned && idle <= now)
            {
                line = line.BeginIdle(line.LastSeen, changes);
            }
            else if (abandoned <= phase && abandoned <= now)
            {
                line = line.Close(abandoned, FocusEnd.Abandoned, changes);
            }
            else if (phase <= now)
            {
                line = line.EndPhase(phase, changes);
            }
            else
            {
                break;
            }
        }

        return new Step(line, changes.DrainToImmutable());
    }

    /// <summary>When the silence of who is at work counts as idleness, if it isn't known already.</summary>
    private DateTimeOffset? IdleAt => State == FocusState.Active && Pings >= 2 && (IdleSince is null || IdleUntil is not null)
        ? Later(LastSeen, Since) + SilenceIsIdle
        : null;

    private DateTimeOffset AbandonmentTick()
    {
        var after = AbandonedAt - StartedAt;
        return StartedAt + (TickEvery * ((after.Ticks + TickEvery.Ticks - 1) / TickEvery.Ticks));
    }

    public Step Pause(DateTimeOffset now) => Then(now, static (line, now, changes) =>
    {
        if (line.State == FocusState.Paused)
        {
            return line;
        }

        if (line.State == FocusState.OnBreak)
        {
            line = line.EndBreak(now, changes);
        }

        changes.Add(new Transition(TimelineChange.Paused, now));
        return line.Enter(FocusState.Paused, now);
    });

    public Step Resume(DateTimeOffset now) => Then(now, static (line, now, changes) =>
    {
        switch (line.State)
        {
            case FocusState.Paused:
                changes.Add(new Transition(TimelineChange.Resumed, now, WholeMinutes(now - line.Since)));
                return line.Enter(FocusState.Active, now);
            case FocusState.OnBreak:
                return line.EndBreak(now, changes);
            default:
                return line;
        }
    });

    /// <param name="minutes">None takes what the mode gives: 5 or 15 in a pomodoro, a part of the work in flowtime.</param>
    public Step TakeBreak(DateTimeOffset now, int? minutes, BreakKind? kind) => Then(now, (line, at, changes) =>
    {
        if (line.State == FocusState.OnBreak)
        {
            return line;
        }

        if (line.State == FocusState.Paused)
        {
            changes.Add(new Transition(TimelineChange.Resumed, at, WholeMinutes(at - line.Since)));
            line = line.Enter(FocusState.Active, at);
        }

        return line.BeginBreak(at, minutes ?? line.UsualBreak(at), kind ?? BreakKind.Short, changes);
    });

    public Step SkipBreak(DateTimeOffset now) => Then(now, static (line, now, changes) =>
        line.State == FocusState.OnBreak ? line.EndBreak(now, changes) : line);

    /// <summary>More time: for the break while on one, else for the work and its estimate.</summary>
    public Step Extend(DateTimeOffset now, int minutes) => Then(now, (line, at, changes) =>
    {
        changes.Add(new Transition(TimelineChange.Extended, at, minutes));
        var more = TimeSpan.FromMinutes(minutes);
        return line.State == FocusState.OnBreak
            ? line with { BreakUntil = line.BreakUntil + more }
            : line with
            {
                EstimatedMinutes = (line.EstimatedMinutes ?? WholeMinutes(line.Active(at))) + minutes,
                WorkUntil = line.WorkUntil + more,
            };
    });

    public Step Ping(DateTimeOffset now, double? idleSeconds)
    {
        var step = Advance(now);
        if (!step.Next.IsLive)
        {
            return step;
        }

        var line = step.Next;
        var changes = step.Changes;
        if (idleSeconds >= IdlePingSeconds)
        {
            if (line.State == FocusState.Active && (line.IdleSince is null || line.IdleUntil is not null))
            {
                var more = changes.ToBuilder();
                line = line.BeginIdle(now - TimeSpan.FromSeconds(idleSeconds.Value), more);
                changes = more.DrainToImmutable();
            }
        }
        else if (line is { IdleSince: not null, IdleUntil: null })
        {
            line = line with { IdleUntil = now };
        }

        return new Step(line with { LastSeen = now, Pings = line.Pings + 1 }, changes);
    }

    /// <summary>What becomes of the time nobody was there: it stays active, is struck out, or was a break.</summary>
    public Step ReturnFromIdle(DateTimeOffset now, IdleAnswer answer) => Then(now, (line, at, changes) => line.EndIdle(answer, at, changes));

    /// <summary>The first end stands; another changes nothing.</summary>
    public Step End(DateTimeOffset now, FocusEnd reason) => Then(now, (line, at, changes) => line.Close(at, reason, changes));

    /// <summary>The tick has been run.</summary>
    public FocusTimeline Ticked(int tick) => this with { NextTick = tick + 1 };

    /// <summary>What a break without a length lasts.</summary>
    public int UsualBreak(DateTimeOffset now) => Mode switch
    {
        FocusMode.Pomodoro => (Intervals + 1) % Plan.Every == 0 ? Plan.LongBreak : Plan.Break,
        FocusMode.Flowtime => Math.Clamp((int)Math.Round(ActiveSinceBreak(now).TotalMinutes * Plan.BreakRatio), 1, 30),
        _ => Plan.Break,
    };

    private Step Then(DateTimeOffset now, Func<FocusTimeline, DateTimeOffset, ImmutableArray<Transition>.Builder, FocusTimeline> command)
    {
        var step = Advance(now);
        if (!step.Next.IsLive)
        {
            return step;
        }

        var changes = step.Changes.ToBuilder();
        var next = command(step.Next, now, changes);
        return new Step(changes.Count == 0 ? next : next with { LastSeen = now }, changes.DrainToImmutable());
    }

    private FocusTimeline EndPhase(DateTimeOffset at, ImmutableArray<Transition>.Builder changes)
    {
        if (State == FocusState.OnBreak)
        {
            return EndBreak(at, changes);
        }

        if (Mode == FocusMode.Countdown)
        {
            return Close(at, FocusEnd.Countdown, changes);
        }

        var isLong = (Intervals + 1) % Plan.Every == 0;
        return (this with { Intervals = Intervals + 1 })
            .BeginBreak(at, isLong ? Plan.LongBreak : Plan.Break, isLong ? BreakKind.Long : BreakKind.Short, changes);
    }

    private FocusTimeline BeginBreak(DateTimeOffset at, int minutes, BreakKind kind, ImmutableArray<Transition>.Builder changes)
    {
        changes.Add(new Transition(TimelineChange.BreakStarted, at, minutes));
        return Enter(FocusState.OnBreak, at) with { BreakUntil = at + TimeSpan.FromMinutes(minutes), Break = kind };
    }

    private FocusTimeline EndBreak(DateTimeOffset at, ImmutableArray<Transition>.Builder changes)
    {
        changes.Add(new Transition(TimelineChange.BreakOver, at, WholeMinutes(at - Since)));
        var line = Enter(FocusState.Active, at);
        return line with
        {
            BreakUntil = null,
            Break = null,
            IdleBeforeBreak = line.Unanswered(at),
            ActiveAtBreak = line.ActiveBefore,
            WorkUntil = line.NextWork(line.ActiveBefore),
        };
    }

    private TimeSpan Unanswered(DateTimeOffset at) => IdlePending + (IdleSince is { } since ? (IdleUntil ?? at) - since : TimeSpan.Zero);

    /// <param name="since">As far as it lies in what is running, and after what was idle before.</param>
    private FocusTimeline BeginIdle(DateTimeOffset since, ImmutableArray<Transition>.Builder changes)
    {
        var earliest = IdleUntil is { } until ? Later(Since, until) : Since;
        var line = this with { IdlePending = Unanswered(earliest), IdleSince = Later(since, earliest), IdleUntil = null };
        changes.Add(new Transition(TimelineChange.IdleStarted, line.IdleSince.Value));
        return line;
    }

    private FocusTimeline EndIdle(IdleAnswer answer, DateTimeOffset at, ImmutableArray<Transition>.Builder changes)
    {
        if (IdleSince is null)
        {
            return this;
        }

        var (away, old) = (Unanswered(at), IdleBeforeBreak);
        changes.Add(new Transition(TimelineChange.IdleEnded, at, WholeMinutes(away), answer));
        // What runs is added up first: the idleness is a part of it, or of what was before.
        var line = (State == FocusState.Active ? Enter(FocusState.Active, at) : this) with
        {
            IdleSince = null,
            IdleUntil = null,
            IdlePending = TimeSpan.Zero,
            IdleBeforeBreak = TimeSpan.Zero,
        };
        if (answer == IdleAnswer.Keep)
        {
            return line;
        }

        // What came after the last break stays as long as it was.
        line = line with
        {
            ActiveBefore = line.ActiveBefore - away,
            ActiveAtBreak = line.ActiveAtBreak - old,
            WorkUntil = Mode == FocusMode.Pomodoro ? line.WorkUntil - old : line.WorkUntil,
        };
        if (answer == IdleAnswer.Discard)
        {
            return line with { Discarded = line.Discarded + away };
        }

        line = line with { BreaksBefore = line.BreaksBefore + away };
        // Only now is it known that there was a break since then: work is counted anew from the answer on.
        return away > old ? line with { ActiveAtBreak = line.ActiveBefore, WorkUntil = line.NextWork(line.ActiveBefore) } : line;
    }

    /// <summary>After a break a pomodoro begins a whole interval; a countdown goes on where it was.</summary>
    private TimeSpan? NextWork(TimeSpan active) => Mode == FocusMode.Pomodoro ? active + TimeSpan.FromMinutes(Plan.Work) : WorkUntil;

    private FocusTimeline Close(DateTimeOffset at, FocusEnd reason, ImmutableArray<Transition>.Builder changes)
    {
        var line = EndIdle(IdleAnswer.Discard, at, changes);
        if (State == FocusState.OnBreak)
        {
            line = line.Enter(FocusState.Active, at);
        }

        changes.Add(new Transition(TimelineChange.Ended, at));
        return line.Enter(FocusState.Ended, at) with { EndedAt = at, EndReason = reason, BreakUntil = null, Break = null };
    }

    /// <summary>Leaves the running state, adding its time to its own total.</summary>
    private FocusTimeline Enter(FocusState next, DateTimeOffset at)
    {
        var span = at - Since;
        return this with
        {
            ActiveBefore = ActiveBefore + (State == FocusState.Active ? span : TimeSpan.Zero),
            PausedBefore = PausedBefore + (State == FocusState.Paused ? span : TimeSpan.Zero),
            BreaksBefore = BreaksBefore + (State == FocusState.OnBreak ? span : TimeSpan.Zero),
            State = next,
            Since = at,
            IdleUntil = IdleSince is null ? null : IdleUntil ?? at,
        };
    }

    private static int WholeMinutes(TimeSpan span) => (int)span.TotalMinutes;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
