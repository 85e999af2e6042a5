using System.Text.Json;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>A session as its grain holds it, and its two other shapes: what GET answers, and its row.</summary>
public sealed record SessionState(
    Guid Id, Guid Person, Guid? TaskId, FocusTimeline Line, NudgeLedger Ledger, FlowWindow Flow, NudgeView? LastNudge, StartState StartState,
    double? Score, JsonText? Quality, FocusSummary? Summary, long Version)
{
    /// <summary>How many ticks knew an energy: with the pings it says whether a kept pulse is behind.</summary>
    public int Samples { get; init; }

    /// <summary>The version that GET shows: counts changes of the view, where <see cref="Version"/> counts those of the row.</summary>
    public long Shown { get; init; } = 1;

    private sealed record Kept(FocusTimeline Line, NudgeLedger Ledger, FlowWindow Flow, NudgeView? LastNudge, int Samples = 0, long Shown = 1);

    public FocusSessionView View => new(
        Id, Person, TaskId, Line.Mode, Line.State, Line.StartedAt, Line.Since,
        Line.ActiveBefore.TotalSeconds, Line.PausedBefore.TotalSeconds, Line.BreaksBefore.TotalSeconds,
        Line.PhaseEndsAt, Line.Break, Line.Intervals, Line.EstimatedMinutes, Line.Plan, Line.NextTickAt, Line.IdleSince,
        Ledger.SnoozedUntil, Flow.EnteredAt, Ledger.Count, LastNudge, Line.EndedAt, Line.EndReason, Score, Quality, StartState, Summary, Shown);

    public FocusSessionRow ToRow() => new(
        Id, Person, TaskId, Word(Line.Mode), Word(Line.State), Line.StartedAt, Line.EndedAt, Line.EstimatedMinutes,
        Summary?.ActiveMinutes, Score, Quality, JsonText.From(StartState), JsonText.From(new Kept(Line, Ledger, Flow, LastNudge, Samples, Shown)),
        Line.EndReason is { } reason ? Word(reason) : null, Summary is null ? null : JsonText.From(Summary), Line.NextTickAt, Line.PhaseEndsAt, Version, 0);

    public static SessionState From(FocusSessionRow row)
    {
        var kept = row.State.Read<Kept>();
        return new SessionState(
            row.Id, row.Person, row.Task, kept.Line, kept.Ledger, kept.Flow, kept.LastNudge, row.StartState.Read<StartState>(),
            row.Score, row.Quality, row.Summary?.Read<FocusSummary>(), row.Version)
        {
            Samples = kept.Samples,
            Shown = kept.Shown,
        };
    }

    /// <summary>What is around a session as its events keep it.</summary>
    public static StartState Seen(Surroundings around, DateTimeOffset now)
    {
        var rhythm = RhythmRules.Snapshot(around.Rhythm, around.Curve, RhythmRules.Zone(around.TimeZone), now);
        var task = around.Task is { } t ? new TaskSnapshot(t.Id, t.Title, t.Energy, t.Ease, Word(t.Status), t.EstimateMinutes) : TaskSnapshot.None;
        return new StartState(rhythm, EmotionRules.Snapshot(around.Emotion, rhythm, around.HabitStrength, around.Tags), task);
    }

    /// <summary>A value of an enum as the table and the wire write it.</summary>
    public static string Word<T>(T value) where T : struct, Enum => JsonSerializer.Serialize(value, Wire.Json).Trim('"');

    public static T Parse<T>(string word) where T : struct, Enum => JsonSerializer.Deserialize<T>($"\"{word}\"", Wire.Json);
}
