using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What happens by itself: ticks, what the rules say at them, and ends that nobody asked for.</summary>
public sealed partial class FocusSessionGrain
{
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (_state is { Line.IsLive: true })
        {
            await Wake();
        }
        else if (await this.GetReminder(reminderName) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    public async Task Wake()
    {
        var now = Now();
        if (_state is not { Line.IsLive: true } state)
        {
            return;
        }

        var step = state.Line.Advance(now);
        var tick = step.Next.DueTick(now);
        if (step.IsRepeat && tick is null)
        {
            return;
        }

        var turn = new SessionTurn(state, await Pulse(now));
        if (!step.Next.IsLive)
        {
            await Finish(turn, step);
        }
        else
        {
            turn.Take(step);
            if (tick is { } due && await Companion.Surroundings(state.TaskId) is { } around)
            {
                turn.Next = turn.Next with { Line = turn.Next.Line.Ticked(due) };
                Look(turn, around, now, due);
            }
        }

        await Commit(turn, null, now);
    }

    /// <summary>What fell due before a command happens before it, in a turn of its own.</summary>
    private async Task CatchUp(DateTimeOffset now)
    {
        if (_state is { Line.IsLive: true } state && (!state.Line.Advance(now).IsRepeat || state.Line.DueTick(now) is not null))
        {
            await Wake();
        }
    }

    /// <summary>Looks at the person: keeps the tick, notices flow, and says what the rules say. They reckon with when the look counts as, people read when it was.</summary>
    private static void Look(SessionTurn turn, Surroundings around, DateTimeOffset now, int? tick)
    {
        var line = turn.Next.Line;
        var counted = line.Counted(tick, now);
        var seen = SessionState.Seen(around, now);
        var energy = seen.Rhythm.Energy;
        var fall = energy is { } e ? turn.Pulse.FallTo(e, counted) : 0;
        if (tick is not null && energy is { } sampled)
        {
            turn.Pulse = turn.Pulse.With(new EnergySample(counted, sampled));
            turn.Next = turn.Next with { Samples = turn.Next.Samples + 1 };
        }

        var distraction = line.State == FocusState.Active ? turn.Pulse.Distraction(counted, line.IdleUntil is null ? line.IdleSince : null) : null;
        if (distraction is not null)
        {
            turn.Disturb(counted);
        }

        turn.Next = turn.Next with { Flow = turn.Next.Flow.Look(counted, line.State, seen.Rhythm) };
        turn.TellFlow(now);
        if (tick is { } number)
        {
            turn.Event("tick", now, new JsonObject { ["tick"] = number });
        }

        var nudge = NudgeRules.Decide(new NudgeMoment(
            counted, line, turn.Next.StartState.Rhythm, seen.Rhythm, seen.Emotion.Mood, fall, distraction, turn.Next.Flow, turn.Next.Ledger));
        if (nudge is not null)
        {
            turn.Say(nudge, now, counted, tick, seen);
        }
        else if (tick is { } silent)
        {
            turn.Row("tick", now, new JsonObject { ["tick"] = silent }, silent, seen);
        }
    }

    /// <summary>The session's end, whoever brought it on, with the summary of all that was.</summary>
    private async Task Finish(SessionTurn turn, Step step)
    {
        turn.Take(step);
        var end = turn.Next.Line.EndedAt!.Value;
        turn.Disturb(end);
        turn.TellFlow(end);
        turn.Row("session_end", end, new JsonObject { ["reason"] = SessionState.Word(turn.Next.Line.EndReason!.Value) }, snapshots: turn.Next.StartState);
        var history = await store.Events(_key.Tenant, _key.Owner, _key.Id, turn.Next.Line.StartedAt);
        var facts = SessionHistory.Facts([.. history, .. turn.Rows]);
        var summary = SessionSummary.Of(turn.Next.Line, turn.Next.Flow, turn.Next.Score, turn.Next.StartState.Rhythm.Stale, facts);
        turn.Next = turn.Next with { Summary = summary };
        turn.Event("ended", end, new JsonObject
        {
            ["reason"] = SessionState.Word(turn.Next.Line.EndReason!.Value),
            ["summary"] = JsonSerializer.SerializeToNode(summary, Wire.Json),
        });
    }
}
