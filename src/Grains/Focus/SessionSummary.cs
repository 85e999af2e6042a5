using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

public enum FactKind
{
    Tick,
    Ping,
    Pause,
    Break,
    Idle,
    Other,
}

/// <summary>One thing that happened in a session, as its events tell it.</summary>
/// <param name="Minutes">How long it lasted, where it is a span.</param>
public readonly record struct SessionFact(
    DateTimeOffset At, FactKind Kind, double? Energy = null, string? EnergySource = null, double? Stress = null,
    double? Distractions = null, int Minutes = 0);

/// <summary>What can be said of a session at its end, from its facts alone.</summary>
public static class SessionSummary
{
    public static FocusSummary Of(FocusTimeline ended, FlowWindow flow, double? score, bool startedStale, IReadOnlyList<SessionFact> facts)
    {
        var end = ended.EndedAt ?? throw new ArgumentException("The session hasn't ended.", nameof(ended));
        var active = ended.Active(end);
        // The tick of the start has seen nothing yet.
        var ticks = facts.Count(f => f.Kind == FactKind.Tick && f.At > ended.StartedAt);
        var flowShare = active > TimeSpan.Zero ? Math.Min(1, flow.Total(end) / active) : 0;
        double? quality = ticks == 0 ? score : score is { } s ? (0.6 * s) + (0.4 * flowShare) : flowShare;
        var curve = Curve(ended, facts);
        var trend = Trend(curve);
        var friction = Friction(ended, facts, active);
        return new FocusSummary(
            (int)(end - ended.StartedAt).TotalMinutes, (int)active.TotalMinutes, quality is { } q ? Math.Round(q, 4) : null,
            curve, trend, friction,
            Wins(ended, flow, score, active, friction, end),
            Suggestions(ended, active, friction, trend),
            Math.Round(Math.Min(1, ticks / 6.0) * (startedStale ? 0.5 : 1), 4));
    }

    private static List<EnergyPoint> Curve(FocusTimeline line, IReadOnlyList<SessionFact> facts) =>
        [.. facts.Where(f => f.Energy is not null).OrderBy(f => f.At)
            .Select(f => new EnergyPoint(Minute(line, f.At), f.Energy!.Value, f.EnergySource ?? "rhythm"))];

    private static string Trend(List<EnergyPoint> curve)
    {
        if (curve.Count < 2)
        {
            return "unknown";
        }

        var change = Levels.Difference(curve[^1].Energy, curve[0].Energy);
        return change >= 0.1 ? "rising" : change <= -0.1 ? "falling" : "steady";
    }

    private static List<FrictionPoint> Friction(FocusTimeline line, IReadOnlyList<SessionFact> facts, TimeSpan active)
    {
        var points = new List<FrictionPoint>();
        double? energyBefore = null;
        double? stressBefore = null;
        foreach (var fact in facts.OrderBy(f => f.At))
        {
            var minute = Minute(line, fact.At);
            switch (fact.Kind)
            {
                case FactKind.Pause:
                    AddSpan(points, minute, "pause", fact.Minutes);
                    break;
                case FactKind.Idle:
                    AddSpan(points, minute, "idle", fact.Minutes);
                    break;
                case FactKind.Ping when fact.Distractions > 0:
                    points.Add(new FrictionPoint(minute, "distraction", null));
                    break;
            }

            if (fact.Energy is { } energy)
            {
                if (energyBefore is { } before && Levels.Difference(before, energy) >= 0.15)
                {
                    points.Add(new FrictionPoint(minute, "energy_dip", null));
                }

                energyBefore = energy;
            }

            if (fact.Stress is { } stress)
            {
                if (stressBefore is { } before && Levels.Difference(stress, before) >= 0.15)
                {
                    points.Add(new FrictionPoint(minute, "stress_spike", null));
                }

                stressBefore = stress;
            }
        }

        if (line.EstimatedMinutes is { } estimate && (int)active.TotalMinutes > estimate)
        {
            points.Add(new FrictionPoint(estimate, "overrun", (int)active.TotalMinutes - estimate));
        }

        return points;
    }

    /// <summary>What lasted less than a minute cost nothing to speak of.</summary>
    private static void AddSpan(List<FrictionPoint> points, int minute, string kind, int minutes)
    {
        if (minutes > 0)
        {
            points.Add(new FrictionPoint(minute, kind, minutes));
        }
    }

    private static List<string> Wins(
        FocusTimeline line, FlowWindow flow, double? score, TimeSpan active, List<FrictionPoint> friction, DateTimeOffset end)
    {
        var wins = new List<string>();
        var flowMinutes = (int)flow.Total(end).TotalMinutes;
        if (flowMinutes > 0)
        {
            wins.Add($"{Count(flowMinutes, "minute")} in flow.");
        }

        if (score >= 0.8)
        {
            wins.Add("You finished what you set out to do.");
        }

        if (active.TotalMinutes >= 25)
        {
            wins.Add($"{(int)active.TotalMinutes} focused minutes.");
        }

        if (line.Intervals > 0)
        {
            wins.Add($"{Count(line.Intervals, "whole pomodoro")}.");
        }

        if (active.TotalMinutes >= 15 && friction.Count == 0)
        {
            wins.Add("Nothing pulled you away.");
        }

        return [.. wins.Take(3)];
    }

    private static List<string> Suggestions(FocusTimeline line, TimeSpan active, List<FrictionPoint> friction, string trend)
    {
        var kinds = friction.Select(f => f.Kind).ToHashSet();
        var suggestions = new List<string>();
        if (kinds.Contains("distraction"))
        {
            suggestions.Add("Silence what distracted you before the next session.");
        }

        if (kinds.Contains("stress_spike"))
        {
            suggestions.Add("Take one slow breath when stress rises.");
        }

        if (kinds.Contains("overrun"))
        {
            suggestions.Add("Plan a little more time for a task like this.");
        }

        if (trend == "falling" || kinds.Contains("energy_dip"))
        {
            suggestions.Add("Start the next session nearer to your energy peak.");
        }

        if (active.TotalMinutes >= 50 && line.BreaksBefore == TimeSpan.Zero)
        {
            suggestions.Add("Give yourself a short break within the hour.");
        }

        if (kinds.Contains("idle"))
        {
            suggestions.Add("Pause the session when you step away.");
        }

        return [.. suggestions.Take(3)];
    }

    internal static string Count(int number, string thing) => number == 1 ? $"1 {thing}" : $"{number} {thing}s";

    private static int Minute(FocusTimeline line, DateTimeOffset at) => Math.Max(0, (int)(at - line.StartedAt).TotalMinutes);
}
