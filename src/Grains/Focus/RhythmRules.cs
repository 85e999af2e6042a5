using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What the rhythm says at a moment. Levels older than a day say nothing.</summary>
public static class RhythmRules
{
    public static readonly TimeSpan FreshFor = TimeSpan.FromHours(24);

    public static bool IsFresh(DateTimeOffset? updatedAt, DateTimeOffset now) => updatedAt is { } at && now - at <= FreshFor;

    /// <summary>The person's local quarter of an hour, 0 to 95. On days of a clock change a slot may come twice or not at all.</summary>
    public static int Slot(DateTimeOffset now, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(now, zone);
        return (local.Hour * 4) + (local.Minute / 15);
    }

    public static DateOnly LocalDay(DateTimeOffset now, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);

    /// <summary>A zone that isn't known counts as UTC: a session must not fail for it.</summary>
    public static TimeZoneInfo Zone(string id) => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : TimeZoneInfo.Utc;

    /// <summary>E(t): the slot of the curve, else the body's energy, else unknown.</summary>
    public static (double? Energy, string Source) Energy(RhythmLevels levels, DailyCurve? curve, TimeZoneInfo zone, DateTimeOffset now)
    {
        if (curve is { Energy.Count: DailyCurve.Slots } && IsFresh(curve.UpdatedAt, now))
        {
            return (curve.Energy[Slot(now, zone)], "curve");
        }

        return levels.BodyEnergy is { } energy && IsFresh(levels.UpdatedAt, now) ? (energy, "rhythm") : (null, "unknown");
    }

    /// <summary>What isn't named stays; what is too old to say anything does not become new by what is set beside it.</summary>
    public static RhythmLevels Changed(RhythmLevels known, RhythmChange change, DateTimeOffset now)
    {
        if (change is
            {
                BodyEnergy.IsSet: false, MindFocus.IsSet: false, EmotionTone.IsSet: false, FatigueLevel.IsSet: false, StressLevel.IsSet: false,
                NextPeak.IsSet: false, NextLull.IsSet: false,
            })
        {
            return known;
        }

        var held = IsFresh(known.UpdatedAt, now) ? known : RhythmLevels.Unknown;
        return new RhythmLevels(
            change.BodyEnergy.Over(held.BodyEnergy), change.MindFocus.Over(held.MindFocus), change.EmotionTone.Over(held.EmotionTone),
            change.FatigueLevel.Over(held.FatigueLevel), change.StressLevel.Over(held.StressLevel),
            Utc(change.NextPeak.Over(held.NextPeak)), Utc(change.NextLull.Over(held.NextLull)), now);
    }

    private static DateTimeOffset? Utc(DateTimeOffset? at) => at?.ToUniversalTime().ToMicroseconds();

    public static RhythmSnapshot Snapshot(RhythmLevels levels, DailyCurve? curve, TimeZoneInfo zone, DateTimeOffset now)
    {
        var (energy, source) = Energy(levels, curve, zone, now);
        return IsFresh(levels.UpdatedAt, now)
            ? new RhythmSnapshot(
                energy, source, levels.MindFocus, levels.EmotionTone, levels.FatigueLevel, levels.StressLevel, levels.NextPeak, levels.NextLull, Stale: false)
            : new RhythmSnapshot(energy, source, null, null, null, null, null, null, Stale: true);
    }
}
