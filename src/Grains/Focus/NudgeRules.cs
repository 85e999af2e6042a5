using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What was said so far in a session, at moments as ticks count (<see cref="FocusTimeline.Counted"/>).</summary>
public sealed record NudgeLedger(int Count, DateTimeOffset? LastAt, DateTimeOffset? LastRecoveryAt, DateTimeOffset? SnoozedUntil)
{
    public static readonly NudgeLedger Empty = new(0, null, null, null);

    public NudgeLedger With(Nudge nudge, DateTimeOffset at) =>
        this with { Count = Count + 1, LastAt = at, LastRecoveryAt = nudge.Rule == 1 ? at : LastRecoveryAt };
}

/// <summary>Everything the rules look at, at one moment.</summary>
/// <param name="Now">Of a tick its due time (<see cref="FocusTimeline.Counted"/>): measured by the clock, one that is woken a little sooner than the last would be too early.</param>
/// <param name="EnergyFall">How far energy fell in the last 30 minutes.</param>
/// <param name="Distraction">Why the person counts as distracted, or null.</param>
public sealed record NudgeMoment(
    DateTimeOffset Now,
    FocusTimeline Timeline,
    RhythmSnapshot AtStart,
    RhythmSnapshot Rhythm,
    string Mood,
    double EnergyFall,
    string? Distraction,
    FlowWindow Flow,
    NudgeLedger Ledger);

public sealed record Nudge(NudgeType Type, string Words, string Reason, int Rule, RecoveryAdvice? Recovery = null);

/// <summary>
/// Which of the six nudges is due, if any. The rows are tried in order and the first that matches speaks; a row that a
/// guard holds back falls through to the next. Guards: 300 s apart, 8 a session with the last two kept for rest and calm,
/// row 1 at most once in 25 minutes, silence while not active or snoozed.
/// </summary>
public static class NudgeRules
{
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(300);
    public static readonly TimeSpan RecoveryApart = TimeSpan.FromMinutes(25);
    public static readonly TimeSpan EncourageAfter = TimeSpan.FromMinutes(15);
    public const int Most = 8;
    public const int Kept = 2;

    private static readonly Func<NudgeMoment, Nudge?>[] Rows = [Recovery, Calming, MicroBreak, Refocus, Flow, Encouragement];

    public static Nudge? Decide(NudgeMoment moment)
    {
        var ledger = moment.Ledger;
        if (moment.Timeline.State != FocusState.Active
            || ledger.SnoozedUntil > moment.Now
            || (ledger.LastAt is { } last && moment.Now - last < Apart)
            || ledger.Count >= Most)
        {
            return null;
        }

        foreach (var row in Rows)
        {
            if (row(moment) is { } nudge && MaySpeak(nudge, moment))
            {
                return nudge;
            }
        }

        return null;
    }

    private static bool MaySpeak(Nudge nudge, NudgeMoment moment) => nudge.Rule switch
    {
        1 => moment.Ledger.LastRecoveryAt is not { } last || moment.Now - last >= RecoveryApart,
        2 => true,
        _ => moment.Ledger.Count < Most - Kept,
    };

    private static Nudge? Recovery(NudgeMoment m)
    {
        var (fatigue, stress) = (m.Rhythm.FatigueLevel, m.Rhythm.StressLevel);
        var reason = fatigue > 0.7 ? "fatigue above 0.7"
            : stress > 0.7 ? "stress above 0.7"
            : Rose(m.AtStart.FatigueLevel, fatigue) ? "fatigue rose since the start"
            : Rose(m.AtStart.StressLevel, stress) ? "stress rose since the start"
            : null;
        if (reason is null)
        {
            return null;
        }

        return Rest(RecoveryBreak.Advise(m.Rhythm, reason, m.Now), reason);
    }

    public static Nudge Rest(RecoveryAdvice advice, string reason) => new(
        NudgeType.RecoveryBreakSuggestion,
        advice.Minutes == 10 ? "Body's asking for rest. Ten easy minutes." : "Body's asking for rest. Five easy minutes.",
        reason, 1, advice);

    private static bool Rose(double? before, double? now) => before is { } b && now is { } n && Levels.Difference(n, b) >= 0.15 && n >= 0.45;

    private static Nudge? Calming(NudgeMoment m) =>
        Unrest(m.Rhythm.StressLevel, m.Rhythm.EmotionTone, m.Mood) is { } reason ? Calm(reason) : null;

    public static Nudge Calm(string reason) => new(NudgeType.CalmingMoment, "Soften your shoulders. One slow breath.", reason, 2);

    /// <summary>Why calm would do good, or null.</summary>
    public static string? Unrest(double? stress, string? tone, string mood) =>
        stress > 0.45 ? "stress above 0.45"
        : stress >= 0.35 && EmotionRules.IsHeavy(tone) ? "heavy tone with some stress"
        : stress >= 0.35 && mood == EmotionRules.Negative ? "negative mood with some stress"
        : null;

    private static Nudge? MicroBreak(NudgeMoment m)
    {
        var longWork = m.Timeline.Mode == FocusMode.Pomodoro ? 25 : 50;
        var reason = m.Rhythm.Energy < 0.35 ? "energy below 0.35"
            : m.EnergyFall >= 0.15 ? "energy fell within half an hour"
            : m.Timeline.ActiveSinceBreak(m.Now) >= TimeSpan.FromMinutes(longWork) ? $"{longWork} active minutes since a break"
            : null;
        return reason is null ? null : new Nudge(NudgeType.MicroBreakSuggestion, "Tiny pause. One breath. Let's get back to it.", reason, 3);
    }

    private static Nudge? Refocus(NudgeMoment m) =>
        m.Distraction is { } reason ? new Nudge(NudgeType.FlowDipRefocus, "Tiny reset, one breath, then back in.", reason, 4) : null;

    private static Nudge? Flow(NudgeMoment m) => m.Flow is { EnteredAt: not null, Praised: false }
        ? new Nudge(NudgeType.FlowContinue, "Nice groove - keep going.", "entering flow", 5)
        : null;

    /// <summary>In flow nobody is encouraged: after the praise there is silence.</summary>
    private static Nudge? Encouragement(NudgeMoment m) =>
        m.Flow.EnteredAt is null && m.Now - (m.Ledger.LastAt ?? m.Timeline.StartedAt) >= EncourageAfter
            ? new Nudge(NudgeType.EncouragementSoft, "Gentle steady focus - you're on track.", "a quiet quarter of an hour", 6)
            : null;

    /// <summary>Short, calm, and without figures: what every nudge's words must be.</summary>
    public static bool IsMicroTone(string words) =>
        words.Length is > 0 and <= 60
        && !words.AsSpan().ContainsAny("!?")
        && !words.Any(char.IsDigit)
        && words.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length <= 3;
}
