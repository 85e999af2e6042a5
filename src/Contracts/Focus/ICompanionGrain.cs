namespace PersonaActors.Contracts.Focus;

/// <summary>
/// What accompanies one person across sessions. Key: <see cref="TenantScopedKey"/>. The only writer of rhythm, tasks, mood,
/// habit and short-term memories. It asks no session: those who end or begin one tell it, and sessions ask it what is around them.
/// </summary>
[Alias("companion")]
public interface ICompanionGrain : IGrainWithStringKey
{
    [Alias("get"), AlwaysInterleave]
    Task<Read<CompanionView>?> Get();

    /// <summary>
    /// What a session looks at when it decides, or null when there is no such person. Interleaves, because a session that asks
    /// must not wait for a long turn here: it reads what is committed, in one snapshot, and nothing in memory.
    /// </summary>
    [Alias("surroundings"), AlwaysInterleave]
    Task<Surroundings?> Surroundings(Guid? task);

    [Alias("set-rhythm")]
    Task<Outcome<RhythmView>> SetRhythm(Command command, RhythmChange change);

    [Alias("set-curve")]
    Task<Outcome<RhythmView>> SetCurve(Command command, DailyCurve curve);

    [Alias("add-task")]
    Task<Outcome<PlannedTask>> AddTask(Command command, TaskChange task);

    [Alias("change-task")]
    Task<Outcome<PlannedTask>> ChangeTask(Command command, Guid id, TaskChange change);

    /// <summary>Refused while the person's live session is about it.</summary>
    [Alias("delete-task")]
    Task<Outcome<Nothing>> DeleteTask(Command command, Guid id);

    [Alias("forget-memory")]
    Task<Outcome<Nothing>> ForgetMemory(Command command, Guid id);

    [Alias("remember")]
    Task<Outcome<MemoryView>> Remember(Command command, NewMemory memory);

    /// <summary>Tells the person's stream of a session that began. Once, however often it is called.</summary>
    [Alias("note-started")]
    Task NoteStarted(FocusSessionView session);

    /// <summary>Takes an ended session into habit and memory. Once, however often it is called.</summary>
    [Alias("note-ended")]
    Task NoteEnded(FocusSessionView session);

    /// <summary>Looks whether the mood still rests on anything.</summary>
    [Alias("refresh-emotion")]
    Task RefreshEmotion();

    /// <summary>Says what is due, if anything is and the person wants it and is in no session. Once, however often it is called.</summary>
    [Alias("look-ahead")]
    Task LookAhead(bool inSession);

    /// <summary>
    /// The person is gone: what is in memory goes too. Interleaves, since a turn here may wait for the user's grain, which calls
    /// this: whatever such a turn commits misses its row.
    /// </summary>
    [Alias("forget"), AlwaysInterleave]
    Task Forget();

    /// <summary>Answers a nudge that was said outside sessions.</summary>
    [Alias("answer-nudge")]
    Task<Outcome<CompanionView>> AnswerNudge(Command command, Guid nudge, NudgeAnswer answer);
}

/// <summary>What is known of a person at a moment, in one snapshot.</summary>
/// <param name="Tags">Those of the newest memory.</param>
/// <param name="Task">The one that was asked for, if the person has it.</param>
[GenerateSerializer, Immutable, Alias("surroundings")]
public sealed record Surroundings(
    [property: Id(0)] string TimeZone,
    [property: Id(1)] RhythmLevels Rhythm,
    [property: Id(2)] DailyCurve? Curve,
    [property: Id(3)] string? Emotion,
    [property: Id(4)] double? HabitStrength,
    [property: Id(5)] Items<string> Tags,
    [property: Id(6)] PlannedTask? Task);

/// <summary>A person as the companion knows it: the state behind the stream companion:{id}.</summary>
/// <param name="PreventiveNudges">Whether the person wants nudges outside sessions.</param>
/// <param name="LastNudge">What was said last outside sessions.</param>
[GenerateSerializer, Immutable, Alias("companion-view")]
public sealed record CompanionView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] RhythmLevels Rhythm,
    [property: Id(2)] DailyCurve? Curve,
    [property: Id(3)] string Emotion,
    [property: Id(4)] Habit Habit,
    [property: Id(5)] long Version,
    [property: Id(6)] bool PreventiveNudges = false,
    [property: Id(7)] NudgeView? LastNudge = null);

/// <summary>What is set of a rhythm: a level that isn't named stays as it is, as long as the rhythm holds; null clears.</summary>
/// <param name="PreventiveNudges">Whether the person wants nudges outside sessions.</param>
[GenerateSerializer, Immutable, Alias("rhythm-change")]
public sealed record RhythmChange(
    [property: Id(0)] Patch<double?> BodyEnergy,
    [property: Id(1)] Patch<double?> MindFocus,
    [property: Id(2)] Patch<string> EmotionTone,
    [property: Id(3)] Patch<double?> FatigueLevel,
    [property: Id(4)] Patch<double?> StressLevel,
    [property: Id(5)] Patch<DateTimeOffset?> NextPeak,
    [property: Id(6)] Patch<DateTimeOffset?> NextLull,
    [property: Id(7)] Patch<bool?> PreventiveNudges);

[GenerateSerializer, Immutable, Alias("task-change")]
public sealed record TaskChange(
    [property: Id(0)] Patch<string> Title,
    [property: Id(1)] Patch<double?> Energy,
    [property: Id(2)] Patch<int?> Ease,
    [property: Id(3)] Patch<PlannedStatus?> Status,
    [property: Id(4)] Patch<int?> EstimateMinutes);

[GenerateSerializer, Immutable, Alias("new-memory")]
public sealed record NewMemory(
    [property: Id(0)] string Type,
    [property: Id(1)] JsonText Content,
    [property: Id(2)] double? Sentiment,
    [property: Id(3)] Items<string> EmotionTags,
    [property: Id(4)] DateTimeOffset? ExpiresAt);

/// <param name="EstimateError">Mean of active ÷ estimated − 1 over sessions that had an estimate.</param>
/// <param name="NudgesHelpful">Share of answered nudges that were called helpful.</param>
[GenerateSerializer, Immutable, Alias("focus-stats")]
public sealed record FocusStats(
    [property: Id(0)] int Days,
    [property: Id(1)] int Sessions,
    [property: Id(2)] int ActiveMinutes,
    [property: Id(3)] Items<DayOfFocus> ByDay,
    [property: Id(4)] DayOfFocus? BestDay,
    [property: Id(5)] double? EstimateError,
    [property: Id(6)] double? NudgesHelpful,
    [property: Id(7)] int NudgesAnswered,
    [property: Id(8)] Habit Habit);

[GenerateSerializer, Immutable, Alias("day-of-focus")]
public sealed record DayOfFocus([property: Id(0)] DateOnly Day, [property: Id(1)] int Sessions, [property: Id(2)] int ActiveMinutes);

[GenerateSerializer, Immutable, Alias("next-slot")]
public sealed record NextSlot(
    [property: Id(0)] DateTimeOffset From, [property: Id(1)] DateTimeOffset To, [property: Id(2)] double Energy, [property: Id(3)] double Confidence);

public enum ExportFormat
{
    Csv,
    Ics,
    Md,
}

[GenerateSerializer, Immutable, Alias("export-text")]
public sealed record ExportText([property: Id(0)] string MediaType, [property: Id(1)] string FileName, [property: Id(2)] string Text);
