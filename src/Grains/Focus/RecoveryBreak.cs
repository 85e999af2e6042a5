using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>How long to rest, when to come back, and whether it is wiser to stop.</summary>
public static class RecoveryBreak
{
    public static readonly TimeSpan NearLull = TimeSpan.FromMinutes(30);

    public static RecoveryAdvice Advise(RhythmSnapshot rhythm, string reason, DateTimeOffset now)
    {
        var fatigue = rhythm.FatigueLevel ?? 0;
        var stress = rhythm.StressLevel ?? 0;
        var minutes = (fatigue > 0.7 && stress > 0.7) || fatigue > 0.85 || stress > 0.85 ? 10 : 5;
        var wrapUp = rhythm.NextLull is { } lull && lull >= now && lull - now <= NearLull;
        return new RecoveryAdvice(
            minutes, wrapUp ? $"{reason}; a lull is near, so this is a good point to wrap up" : reason,
            now.AddMinutes(minutes), rhythm.NextPeak > now ? rhythm.NextPeak : null, wrapUp);
    }
}
