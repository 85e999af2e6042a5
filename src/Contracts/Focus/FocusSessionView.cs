using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Focus;

public enum FocusMode
{
    Deep,
    Pomodoro,
    Flowtime,
    Countdown,
}

public enum FocusState
{
    Active,
    Paused,
    [JsonStringEnumMemberName("on_break")]
    OnBreak,
    Ended,
}

public enum BreakKind
{
    Short,
    Long,
    Recovery,
    Micro,
}

public enum FocusEnd
{
    Finished,
    Early,
    Abandoned,
    [JsonStringEnumMemberName("taken_over")]
    TakenOver,
    Countdown,
}

public enum IdleAnswer
{
    Keep,
    Discard,
    Break,
}

public enum NudgeAnswer
{
    Helpful,
    [JsonStringEnumMemberName("not_now")]
    NotNow,
    [JsonStringEnumMemberName("snooze_15")]
    Snooze15,
}

public enum NudgeType
{
    [JsonStringEnumMemberName("recovery_break_suggestion")]
    RecoveryBreakSuggestion,
    [JsonStringEnumMemberName("calming_moment")]
    CalmingMoment,
    [JsonStringEnumMemberName("micro_break_suggestion")]
    MicroBreakSuggestion,
    [JsonStringEnumMemberName("flow_dip_refocus")]
    FlowDipRefocus,
    [JsonStringEnumMemberName("flow_continue")]
    FlowContinue,
    [JsonStringEnumMemberName("encouragement_soft")]
    EncouragementSoft,
}

/// <summary>Lengths, in minutes, of what a mode brings on by itself.</summary>
/// <param name="Every">How many work intervals of a pomodoro make a long break due.</param>
/// <param name="BreakRatio">Flowtime: minutes of break per minute of work.</param>
[GenerateSerializer, Immutable, Alias("focus-plan")]
public sealed record FocusPlan(
    [property: Id(0)] int Work = 25,
    [property: Id(1)] int Break = 5,
    [property: Id(2)] int LongBreak = 15,
    [property: Id(3)] int Every = 4,
    [property: Id(4)] double BreakRatio = 0.2);

[GenerateSerializer, Immutable, Alias("recovery-advice")]
public sealed record RecoveryAdvice(
    [property: Id(0)] int Minutes,
    [property: Id(1)] string Reason,
    [property: Id(2)] DateTimeOffset ResumeAt,
    [property: Id(3)] DateTimeOffset? NextPeak,
    [property: Id(4)] bool WrapUp);

/// <summary>One thing said to the person: the words, why, and which row of the rules said it.</summary>
[GenerateSerializer, Immutable, Alias("nudge-view")]
public sealed record NudgeView(
    [property: Id(0)] Guid EventId,
    [property: Id(1)] NudgeType Type,
    [property: Id(2)] string Nudge,
    [property: Id(3)] string Reason,
    [property: Id(4)] int Rule,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] RecoveryAdvice? Recovery = null,
    [property: Id(7)] NudgeAnswer? Answer = null);

/// <summary>
/// A session as GET answers it. Nothing in it depends on the moment of reading: a screen counts on from <see cref="Since"/>
/// (active seconds) and down to <see cref="PhaseEndsAt"/> by the server's clock that comes with the answer.
/// </summary>
/// <param name="Version">Counts the changes of what is shown here; a ping that shows nowhere is none.</param>
[GenerateSerializer, Immutable, Alias("focus-session-view")]
public sealed record FocusSessionView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid UserId,
    [property: Id(2)] Guid? TaskId,
    [property: Id(3)] FocusMode Mode,
    [property: Id(4)] FocusState State,
    [property: Id(5)] DateTimeOffset StartedAt,
    [property: Id(6)] DateTimeOffset Since,
    [property: Id(7)] double ActiveSecondsBefore,
    [property: Id(8)] double PausedSecondsBefore,
    [property: Id(9)] double BreakSecondsBefore,
    [property: Id(10)] DateTimeOffset? PhaseEndsAt,
    [property: Id(11)] BreakKind? BreakKind,
    [property: Id(12)] int Intervals,
    [property: Id(13)] int? EstimatedMinutes,
    [property: Id(14)] FocusPlan Plan,
    [property: Id(15)] DateTimeOffset? NextTickAt,
    [property: Id(16)] DateTimeOffset? IdleSince,
    [property: Id(17)] DateTimeOffset? SnoozedUntil,
    [property: Id(18)] DateTimeOffset? InFlowSince,
    [property: Id(19)] int Nudges,
    [property: Id(20)] NudgeView? LastNudge,
    [property: Id(21)] DateTimeOffset? EndedAt,
    [property: Id(22)] FocusEnd? EndReason,
    [property: Id(23)] double? CompletionScore,
    [property: Id(24)] JsonText? SessionQuality,
    [property: Id(25)] StartState StartState,
    [property: Id(26)] FocusSummary? Summary,
    [property: Id(27)] long Version);
