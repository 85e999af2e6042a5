using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>A nudge outside sessions that was said.</summary>
public readonly record struct SaidNudge(DateTimeOffset At, int Rule)
{
    /// <summary>
    /// What intervals count from: the quarter of an hour it was due at, where it was said soon after. Measured from when it was
    /// said, the quarter an hour later would always be a little early.
    /// </summary>
    public DateTimeOffset Counted
    {
        get
        {
            var late = TimeSpan.FromTicks(At.UtcTicks % PreventiveRules.Slot.Ticks);
            return late <= PreventiveRules.Punctual ? At - late : At;
        }
    }
}

/// <summary>Everything the preventive rules look at. Of the moment itself they are told apart, so that they can be asked ahead.</summary>
/// <param name="Said">What was said in the last day or longer, in any order.</param>
public sealed record PreventiveMoment(RhythmLevels Rhythm, DailyCurve? Curve, TimeZoneInfo Zone, string Mood, IReadOnlyList<SaidNudge> Said);

/// <summary>
/// Nudges for a person who is in no session: rows 1 to 3, as far as they read the rhythm alone. Their budget is their own:
/// four a local day, an hour apart, never between nine in the evening and eight in the morning. What the levels say is said
/// once for each time they are set; that energy is low or falls, at most once in three hours.
/// </summary>
public static class PreventiveRules
{
    public const int MostADay = 4;

    /// <summary>As many of the newest nudges as the rules can ask about: two local days hold no more.</summary>
    public const int Remembered = 2 * MostADay;

    public const int FirstHour = 8;
    public const int LastHour = 21;
    public static readonly TimeSpan Apart = TimeSpan.FromMinutes(60);
    public static readonly TimeSpan EnergyApart = TimeSpan.FromHours(3);
    internal static readonly TimeSpan Slot = TimeSpan.FromMinutes(15);

    /// <summary>People are looked at every fifteen seconds.</summary>
    internal static readonly TimeSpan Punctual = TimeSpan.FromSeconds(30);

    /// <summary>The zone of the person may be changed meanwhile without our hearing of it, so we look again after this at the latest.</summary>
    private static readonly TimeSpan Farthest = TimeSpan.FromHours(6);

    public static Nudge? Decide(PreventiveMoment m, DateTimeOffset now)
    {
        var local = TimeZoneInfo.ConvertTime(now, m.Zone);
        var today = RhythmRules.LocalDay(now, m.Zone);
        if (local.Hour is < FirstHour or >= LastHour
            || m.Said.Any(said => now - said.Counted < Apart)
            || m.Said.Count(said => RhythmRules.LocalDay(said.At, m.Zone) == today) >= MostADay)
        {
            return null;
        }

        return Recovery(m, now) ?? Calming(m, now) ?? LowEnergy(m, now);
    }

    /// <summary>When to ask <see cref="Decide"/> next: the first quarter of an hour at which it would speak if nothing is written until then, or none.</summary>
    public static DateTimeOffset? Next(PreventiveMoment m, DateTimeOffset after)
    {
        var at = new DateTimeOffset(after.UtcTicks - (after.UtcTicks % Slot.Ticks), TimeSpan.Zero);
        for (var i = 0; i < DailyCurve.Slots; i++)
        {
            at += Slot;
            if (Decide(m, at) is not null)
            {
                return at - after > Farthest ? after + Farthest : at;
            }
        }

        return null;
    }

    private static Nudge? Recovery(PreventiveMoment m, DateTimeOffset now)
    {
        var (fatigue, stress) = (m.Rhythm.FatigueLevel, m.Rhythm.StressLevel);
        var reason = fatigue > 0.7 ? "fatigue above 0.7" : stress > 0.7 ? "stress above 0.7" : null;
        return reason is null || !IsNews(m, now) ? null : NudgeRules.Rest(RecoveryBreak.Advise(RhythmRules.Snapshot(m.Rhythm, m.Curve, m.Zone, now), reason, now), reason);
    }

    private static Nudge? Calming(PreventiveMoment m, DateTimeOffset now) =>
        IsNews(m, now) && NudgeRules.Unrest(m.Rhythm.StressLevel, m.Rhythm.EmotionTone, m.Mood) is { } reason ? NudgeRules.Calm(reason) : null;

    private static Nudge? LowEnergy(PreventiveMoment m, DateTimeOffset now)
    {
        if (m.Said.Any(said => said.Rule == 3 && now - said.Counted < EnergyApart))
        {
            return null;
        }

        var (energy, source) = RhythmRules.Energy(m.Rhythm, m.Curve, m.Zone, now);
        if (energy is not { } e || (source != "curve" && !IsNews(m, now)))
        {
            return null;
        }

        // One level knows no fall; a curve knows what was half an hour ago.
        var before = source == "curve" ? Math.Max(Curve(m, now - Slot), Curve(m, now - (2 * Slot))) : e;
        var reason = e < 0.35 ? "energy below 0.35" : Levels.Difference(before, e) >= 0.15 ? "energy fell within half an hour" : null;
        return reason is null ? null : new Nudge(NudgeType.MicroBreakSuggestion, "Energy dips about now. A small pause will do good.", reason, 3);
    }

    private static double Curve(PreventiveMoment m, DateTimeOffset at) => m.Curve!.Energy[RhythmRules.Slot(at, m.Zone)];

    /// <summary>The levels hold still, and nothing was said since they were set.</summary>
    private static bool IsNews(PreventiveMoment m, DateTimeOffset now) =>
        RhythmRules.IsFresh(m.Rhythm.UpdatedAt, now) && !m.Said.Any(said => said.At > m.Rhythm.UpdatedAt);
}
