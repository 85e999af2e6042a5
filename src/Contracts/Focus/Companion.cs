namespace PersonaActors.Contracts.Focus;

/// <summary>What is known of a person's body and mind at a moment; null is unknown.</summary>
[GenerateSerializer, Immutable, Alias("rhythm-levels")]
public sealed record RhythmLevels(
    [property: Id(0)] double? BodyEnergy,
    [property: Id(1)] double? MindFocus,
    [property: Id(2)] string? EmotionTone,
    [property: Id(3)] double? FatigueLevel,
    [property: Id(4)] double? StressLevel,
    [property: Id(5)] DateTimeOffset? NextPeak,
    [property: Id(6)] DateTimeOffset? NextLull,
    [property: Id(7)] DateTimeOffset? UpdatedAt)
{
    public static readonly RhythmLevels Unknown = new(null, null, null, null, null, null, null, null);
}

/// <summary>Energy over the person's local day, 96 slots of 15 minutes from midnight.</summary>
[GenerateSerializer, Immutable, Alias("daily-curve")]
public sealed record DailyCurve(
    [property: Id(0)] Items<double> Energy,
    [property: Id(1)] double Confidence,
    [property: Id(2)] DateTimeOffset? UpdatedAt)
{
    public const int Slots = 96;
}

[GenerateSerializer, Immutable, Alias("rhythm-view")]
public sealed record RhythmView(
    [property: Id(0)] RhythmLevels Levels, [property: Id(1)] DailyCurve? Curve, [property: Id(2)] bool PreventiveNudges = false,
    [property: Id(3)] long Version = 0);

/// <summary>The rhythm as an event keeps it. A level that is older than a day is null here.</summary>
/// <param name="EnergySource">curve, rhythm, or unknown.</param>
[GenerateSerializer, Immutable, Alias("rhythm-snapshot")]
public sealed record RhythmSnapshot(
    [property: Id(0)] double? Energy,
    [property: Id(1)] string EnergySource,
    [property: Id(2)] double? MindFocus,
    [property: Id(3)] string? EmotionTone,
    [property: Id(4)] double? FatigueLevel,
    [property: Id(5)] double? StressLevel,
    [property: Id(6)] DateTimeOffset? NextPeak,
    [property: Id(7)] DateTimeOffset? NextLull,
    [property: Id(8)] bool Stale);

[GenerateSerializer, Immutable, Alias("emotion-snapshot")]
public sealed record EmotionSnapshot(
    [property: Id(0)] string Mood,
    [property: Id(1)] double? Energy,
    [property: Id(2)] double? Stress,
    [property: Id(3)] double? Motivation,
    [property: Id(4)] string FocusState,
    [property: Id(5)] Items<string> Tags);

[GenerateSerializer, Immutable, Alias("task-snapshot")]
public sealed record TaskSnapshot(
    [property: Id(0)] Guid? Id,
    [property: Id(1)] string Title,
    [property: Id(2)] double? Energy,
    [property: Id(3)] int? Ease,
    [property: Id(4)] string? Status,
    [property: Id(5)] int? EstimateMinutes)
{
    /// <summary>A session about nothing in particular.</summary>
    public static readonly TaskSnapshot None = new(null, "this session", null, null, null, null);
}

/// <summary>How the person was when the session began; what later levels are compared with.</summary>
[GenerateSerializer, Immutable, Alias("start-state")]
public sealed record StartState(
    [property: Id(0)] RhythmSnapshot Rhythm, [property: Id(1)] EmotionSnapshot Emotion, [property: Id(2)] TaskSnapshot Task);

public enum PlannedStatus
{
    Open,
    Doing,
    Done,
    Dropped,
}

[GenerateSerializer, Immutable, Alias("planned-task")]
public sealed record PlannedTask(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Title,
    [property: Id(2)] double? Energy,
    [property: Id(3)] int? Ease,
    [property: Id(4)] PlannedStatus Status,
    [property: Id(5)] int? EstimateMinutes,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] DateTimeOffset UpdatedAt,
    [property: Id(8)] long Version);

/// <summary>How steadily the person focuses: days in a row, and a strength from 0 to 1.</summary>
[GenerateSerializer, Immutable, Alias("habit")]
public sealed record Habit([property: Id(0)] int Streak, [property: Id(1)] double Strength, [property: Id(2)] DateOnly? LastDay)
{
    public static readonly Habit None = new(0, 0, null);
}

[GenerateSerializer, Immutable, Alias("memory-view")]
public sealed record MemoryView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Type,
    [property: Id(2)] JsonText Content,
    [property: Id(3)] double? Sentiment,
    [property: Id(4)] Items<string> EmotionTags,
    [property: Id(5)] Guid? SessionId,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] DateTimeOffset? ExpiresAt);
