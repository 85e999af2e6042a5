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

/// <summary>When, within the next day, it is good to focus.</summary>
public static class NextSlotRules
{
    public const double Good = 0.7;

    /// <returns>The first stretch with good energy, else the best one; null without a curve.</returns>
    public static NextSlot? Find(DailyCurve? curve, TimeZoneInfo zone, DateTimeOffset now, int minutes)
    {
        if (curve is not { Energy.Count: DailyCurve.Slots })
        {
            return null;
        }

        var quarter = TimeSpan.FromMinutes(15);
        var first = new DateTimeOffset((now.UtcTicks + quarter.Ticks - 1) / quarter.Ticks * quarter.Ticks, TimeSpan.Zero);
        var length = Math.Max(1, (minutes + 14) / 15);
        NextSlot? best = null;
        for (var i = 0; i < DailyCurve.Slots; i++)
        {
            var from = first + (quarter * i);
            var energy = 0.0;
            for (var k = 0; k < length; k++)
            {
                energy += curve.Energy[RhythmRules.Slot(from + (quarter * k), zone)];
            }

            energy = Math.Round(energy / length, 4);
            var slot = new NextSlot(from, from.AddMinutes(minutes), energy, curve.Confidence);
            if (energy >= Good)
            {
                return slot;
            }

            best = best is null || energy > best.Energy ? slot : best;
        }

        return best;
    }
}
