using System.Collections.Immutable;

namespace PersonaActors.Grains.Focus;

/// <summary>What a ping said of the things we know.</summary>
public readonly record struct PingSample(DateTimeOffset At, double? Focus, double? Energy, double? Stress, double? IdleSeconds, double? Distractions);

public readonly record struct EnergySample(DateTimeOffset At, double Energy);

/// <summary>
/// The rolling windows of a session: its pings and energies of the last half hour. Holds nothing of truth; all of it is in
/// focus_events, so it can be rebuilt from there.
/// </summary>
public sealed record FocusPulse(ImmutableArray<PingSample> Pings, ImmutableArray<EnergySample> Energies)
{
    public static readonly TimeSpan Reach = TimeSpan.FromMinutes(30);
    public static readonly TimeSpan DistractionWindow = TimeSpan.FromMinutes(10);
    public const double LowFocus = 0.4;
    private const int MostPings = 360;

    public static readonly FocusPulse Empty = new([], []);

    public FocusPulse With(PingSample ping)
    {
        var kept = Pings.Where(p => ping.At - p.At <= Reach).Append(ping).ToImmutableArray();
        return this with { Pings = kept.Length > MostPings ? kept[^MostPings..] : kept };
    }

    public FocusPulse With(EnergySample sample) =>
        this with { Energies = [.. Energies.Where(e => sample.At - e.At <= Reach), sample] };

    /// <summary>How far energy fell from its highest in the last half hour.</summary>
    public double FallTo(double energy, DateTimeOffset now)
    {
        var highest = energy;
        foreach (var sample in Energies)
        {
            if (now - sample.At <= Reach && sample.Energy > highest)
            {
                highest = sample.Energy;
            }
        }

        return Levels.Difference(highest, energy);
    }

    /// <summary>Why the person counts as distracted, or null.</summary>
    public string? Distraction(DateTimeOffset now, DateTimeOffset? idleSince)
    {
        if (idleSince is not null)
        {
            return "idle";
        }

        var reported = 0.0;
        PingSample? before = null;
        var lowTwice = false;
        foreach (var ping in Pings)
        {
            if (now - ping.At > DistractionWindow)
            {
                continue;
            }

            if (ping.IdleSeconds >= FocusTimeline.IdlePingSeconds)
            {
                return "idle within the last ten minutes";
            }

            reported += ping.Distractions ?? 0;
            lowTwice |= before?.Focus < LowFocus && ping.Focus < LowFocus;
            before = ping;
        }

        return reported >= 3 ? "three or more distractions in ten minutes" : lowTwice ? "focus below 0.4 twice in a row" : null;
    }
}

public static class Levels
{
    /// <summary>Differences of levels as people mean them: 0.6 − 0.45 is 0.15, whatever binary fractions make of it.</summary>
    public static double Difference(double a, double b) => Math.Round(a - b, 9);
}
