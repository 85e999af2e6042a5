using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>One turn in the making: the next state, the rows of what happened, and what the stream is told.</summary>
internal sealed class SessionTurn(SessionState state, FocusPulse pulse)
{
    private readonly List<(string Type, DateTimeOffset At, JsonObject Data, Guid? Id)> _events = [];
    private DateTimeOffset? _flowTold = state.Flow.EnteredAt;

    public SessionState Next { get; set; } = state;

    public FocusPulse Pulse { get; set; } = pulse;

    public List<FocusEventRow> Rows { get; } = [];

    public (Guid Nudge, string Answer)? Answered { get; init; }

    public void Row(string type, DateTimeOffset at, JsonObject content, int? tick = null, StartState? snapshots = null, Guid? id = null) => Rows.Add(new FocusEventRow(
        id ?? Guid.CreateVersion7(at), at, type, tick, new JsonText(content.ToJsonString(Wire.Json)),
        snapshots is null ? null : JsonText.From(snapshots.Rhythm), snapshots is null ? null : JsonText.From(snapshots.Task),
        snapshots is null ? null : JsonText.From(snapshots.Emotion)));

    public void Event(string type, DateTimeOffset at, JsonObject data, Guid? id = null) => _events.Add((type, at, data, id));

    /// <summary>Takes a step of the timeline with all that changed on the way. What the session's end needs more is the grain's.</summary>
    public void Take(Step step)
    {
        Next = Next with { Line = step.Next };
        foreach (var change in step.Changes)
        {
            Happened(change);
        }
    }

    private void Happened(Transition change)
    {
        var content = new JsonObject();
        if (change.Minutes is { } minutes)
        {
            content["minutes"] = minutes;
        }

        if (change.Change == TimelineChange.BreakStarted && Next.Line.Break is { } kind)
        {
            content["kind"] = SessionState.Word(kind);
        }

        if (change.Idle is { } answer)
        {
            content["answer"] = SessionState.Word(answer);
        }

        if (change.Change is TimelineChange.Paused or TimelineChange.Resumed or TimelineChange.BreakStarted or TimelineChange.BreakOver or TimelineChange.IdleStarted)
        {
            Disturb(change.At);
            TellFlow(change.At);
        }

        if (NameOf(change.Change) is { } name)
        {
            Row(name, change.At, content);
            Event(name, change.At, content.DeepClone().AsObject());
        }
    }

    /// <summary>The end has a row and an event of its own making.</summary>
    private static string? NameOf(TimelineChange change) => change switch
    {
        TimelineChange.Paused => "paused",
        TimelineChange.Resumed => "resumed",
        TimelineChange.BreakStarted => "break_started",
        TimelineChange.BreakOver => "break_over",
        TimelineChange.Extended => "extended",
        TimelineChange.IdleStarted => "idle_started",
        TimelineChange.IdleEnded => "idle_ended",
        _ => null,
    };

    public void Disturb(DateTimeOffset at) => Next = Next with { Flow = Next.Flow.Disturbed(at) };

    public void Snooze(DateTimeOffset now, DateTimeOffset until)
    {
        Next = Next with { Ledger = Next.Ledger with { SnoozedUntil = until } };
        Row("snoozed", now, new JsonObject { ["until"] = until });
    }

    /// <param name="counted">When the guards take it to be said.</param>
    public void Say(Nudge nudge, DateTimeOffset now, DateTimeOffset counted, int? tick, StartState seen)
    {
        var said = new NudgeView(Guid.CreateVersion7(now), nudge.Type, nudge.Words, nudge.Reason, nudge.Rule, now, nudge.Recovery);
        Next = Next with
        {
            Ledger = Next.Ledger.With(nudge, counted),
            LastNudge = said,
            Flow = nudge.Type == NudgeType.FlowContinue ? Next.Flow with { Praised = true } : Next.Flow,
        };
        var content = new JsonObject
        {
            ["nudge"] = nudge.Words,
            ["type"] = SessionState.Word(nudge.Type),
            ["reason"] = nudge.Reason,
            ["rule"] = nudge.Rule,
        };
        if (nudge.Recovery is { } advice)
        {
            content["recovery"] = JsonSerializer.SerializeToNode(advice, Wire.Json);
        }

        Row(SessionState.Word(nudge.Type), now, content, tick, seen, said.EventId);
        Event("nudge", now, JsonSerializer.SerializeToNode(said, Wire.Json)!.AsObject(), said.EventId);
    }

    /// <summary>Says that flow began or ended, if it did since it was last said.</summary>
    public void TellFlow(DateTimeOffset now)
    {
        var entered = Next.Flow.EnteredAt;
        if (entered == _flowTold)
        {
            return;
        }

        if (_flowTold is not null)
        {
            Row("flow_left", now, []);
            Event("flow_left", now, []);
        }

        if (entered is not null)
        {
            Row("flow_entered", now, []);
            Event("flow_entered", now, []);
        }

        _flowTold = entered;
    }

    /// <summary>The stream's events; the last one carries how the view changed. A change that none of them names is an event of its own.</summary>
    public IEnumerable<(string Type, DateTimeOffset At, JsonText Data, Guid? Id)> EventsOf(JsonObject changes, DateTimeOffset now)
    {
        if (_events.Count == 0 && changes.Count > 0)
        {
            Event("updated", now, []);
        }

        for (var i = 0; i < _events.Count; i++)
        {
            var (type, at, data, id) = _events[i];
            data["changes"] = i == _events.Count - 1 ? changes : new JsonObject();
            yield return (type, at, new JsonText(data.ToJsonString(Wire.Json)), id);
        }
    }
}
