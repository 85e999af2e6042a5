using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>An ended session as statistics and exports see it.</summary>
public sealed record EndedSession(
    Guid Id, DateTimeOffset Start, DateTimeOffset End, FocusMode Mode, string Task, int? EstimatedMinutes, int ActiveMinutes, double? Score, double? FlowQuality);

/// <summary>What the person's last days add up to. A session belongs to the local day on which it began.</summary>
public static class StatsRules
{
    public static FocusStats Of(
        int days, DateTimeOffset now, TimeZoneInfo zone, IReadOnlyList<EndedSession> sessions, Habit habit, int helpful, int answered)
    {
        var today = RhythmRules.LocalDay(now, zone);
        var first = today.AddDays(1 - days);
        var within = sessions.Where(s => RhythmRules.LocalDay(s.Start, zone) >= first).ToList();
        var byDay = within.GroupBy(s => RhythmRules.LocalDay(s.Start, zone)).OrderBy(g => g.Key)
            .Select(g => new DayOfFocus(g.Key, g.Count(), g.Sum(s => s.ActiveMinutes))).ToList();
        var errors = within.Where(s => s.EstimatedMinutes > 0).Select(s => (s.ActiveMinutes / (double)s.EstimatedMinutes!.Value) - 1).ToList();
        return new FocusStats(
            days, within.Count, within.Sum(s => s.ActiveMinutes), byDay, byDay.MaxBy(d => d.ActiveMinutes),
            errors.Count > 0 ? Math.Round(errors.Average(), 4) : null,
            answered > 0 ? Math.Round(helpful / (double)answered, 4) : null, answered, HabitRules.On(habit, today));
    }

    /// <summary>The first instant of a local day; where the clock skips midnight, the first that exists.</summary>
    public static DateTimeOffset StartOfDay(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }
}

/// <summary>When, within the next day, it is good to focus: never, not even in part, in a lull.</summary>
public static class NextSlotRules
{
    public const double Good = 0.7;

    /// <summary>With less energy than this, a session would only speak of pauses.</summary>
    public const double Lull = 0.35;

    /// <summary>How long a lull that the rhythm names is taken to last.</summary>
    public static readonly TimeSpan LullLasts = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    /// <returns>The first stretch with good energy throughout, else the best one; null without a curve, or if no stretch is free of lulls.</returns>
    public static NextSlot? Find(RhythmLevels rhythm, DailyCurve? curve, TimeZoneInfo zone, DateTimeOffset now, int minutes)
    {
        if (curve is not { Energy.Count: DailyCurve.Slots })
        {
            return null;
        }

        var lull = RhythmRules.IsFresh(rhythm.UpdatedAt, now) ? rhythm.NextLull : null;
        var first = new DateTimeOffset((now.UtcTicks + Quarter.Ticks - 1) / Quarter.Ticks * Quarter.Ticks, TimeSpan.Zero);
        NextSlot? best = null;
        for (var i = 0; i < DailyCurve.Slots; i++)
        {
            var from = first + (Quarter * i);
            var to = from.AddMinutes(minutes);
            var energies = Enumerable.Range(0, (minutes + 14) / 15).Select(k => curve.Energy[RhythmRules.Slot(from + (Quarter * k), zone)]).ToList();
            if (energies.Min() < Lull || (lull < to && lull + LullLasts > from))
            {
                continue;
            }

            var slot = new NextSlot(from, to, Math.Round(energies.Average(), 4), curve.Confidence);
            if (energies.Min() >= Good)
            {
                return slot;
            }

            best = best is null || slot.Energy > best.Energy ? slot : best;
        }

        return best;
    }
}
