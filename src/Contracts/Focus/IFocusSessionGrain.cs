using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Focus;

/// <summary>One sitting of focused work. Key: <see cref="OwnedKey"/>. The only writer of the session and its events.</summary>
[Alias("focus-session")]
public interface IFocusSessionGrain : IGrainWithStringKey
{
    [Alias("start")]
    Task<Outcome<FocusSessionView>> Start(Command command, FocusBegin begin);

    [Alias("get"), AlwaysInterleave]
    Task<Read<FocusSessionView>?> Get();

    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<FocusSessionView>> Grant(SiloAddress holder);

    [Alias("ping")]
    Task<Outcome<FocusSessionView>> Ping(Command command, Biomarkers biomarkers);

    [Alias("change")]
    Task<Outcome<FocusSessionView>> Change(Command command, SessionChange change);

    /// <summary>The first end stands: a repeat answers the same and writes nothing.</summary>
    [Alias("end")]
    Task<Outcome<FocusSessionView>> End(Command command, SessionEnd end);

    [Alias("answer-nudge")]
    Task<Outcome<FocusSessionView>> AnswerNudge(Command command, Guid nudge, NudgeAnswer answer);

    /// <summary>Ends the session because the person began another.</summary>
    /// <returns>The session if this ended it.</returns>
    [Alias("take-over")]
    Task<FocusSessionView?> TakeOver();

    /// <summary>Does what is due by now, if anything is: called by the reminder, the sweep, or anybody.</summary>
    [Alias("wake")]
    Task Wake();
}

/// <param name="Plan">None takes the mode's usual lengths.</param>
/// <param name="TakeOver">Ends a live session of the person instead of refusing.</param>
/// <param name="ArrivedAt">Of a call that joins: a live session that the same request began since is answered, not taken over.</param>
[GenerateSerializer, Immutable, Alias("focus-start")]
public sealed record FocusStart(
    [property: Id(0)] FocusMode Mode,
    [property: Id(1)] Guid? TaskId,
    [property: Id(2)] int? EstimatedMinutes,
    [property: Id(3)] FocusPlan? Plan,
    [property: Id(4)] bool TakeOver,
    [property: Id(5)] DateTimeOffset? ArrivedAt = null);

/// <summary>What is handed to a session that begins.</summary>
/// <param name="Around">What is known of the person at that moment, its task included.</param>
[GenerateSerializer, Immutable, Alias("focus-begin")]
public sealed record FocusBegin(
    [property: Id(0)] FocusMode Mode, [property: Id(1)] Guid? TaskId, [property: Id(2)] int? EstimatedMinutes, [property: Id(3)] FocusPlan Plan,
    [property: Id(4)] Surroundings Around);

/// <summary>The keys of a ping that we know, and all of it as it came.</summary>
[GenerateSerializer, Immutable, Alias("biomarkers")]
public sealed record Biomarkers(
    [property: Id(0)] double? Focus,
    [property: Id(1)] double? Energy,
    [property: Id(2)] double? Stress,
    [property: Id(3)] double? HeartRate,
    [property: Id(4)] double? IdleSeconds,
    [property: Id(5)] double? Distractions,
    [property: Id(6)] JsonText All);

public enum SessionChangeKind
{
    Pause,
    Resume,
    Break,
    SkipBreak,
    Extend,
    IdleReturn,
    Snooze,
}

[GenerateSerializer, Immutable, Alias("session-change")]
public sealed record SessionChange(
    [property: Id(0)] SessionChangeKind Kind,
    [property: Id(1)] int? Minutes = null,
    [property: Id(2)] BreakKind? Break = null,
    [property: Id(3)] IdleAnswer? Idle = null);

[GenerateSerializer, Immutable, Alias("session-end")]
public sealed record SessionEnd([property: Id(0)] double? CompletionScore, [property: Id(1)] JsonText? SessionQuality, [property: Id(2)] bool EarlyEnd);

public static class FocusRefusals
{
    public const string SessionRunning = "session_running";
    public const string SessionEnded = "session_ended";
}
