using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// Flow: a quarter of an hour undisturbed, with energy, at ease. A window opens when all of that holds and closes when any
/// of it fails; its praise is given once.
/// </summary>
/// <param name="CalmSince">The last disturbance: the start, a pause, a break, a distraction, a ping with little focus.</param>
public sealed record FlowWindow(DateTimeOffset CalmSince, DateTimeOffset? EnteredAt, bool Praised, TimeSpan Before)
{
    public static readonly TimeSpan Needed = TimeSpan.FromMinutes(15);
    public const double FocusOfFlow = 0.6;

    public static FlowWindow From(DateTimeOffset start) => new(start, null, false, TimeSpan.Zero);

    public TimeSpan Total(DateTimeOffset now) => Before + (EnteredAt is { } entered ? now - entered : TimeSpan.Zero);

    public FlowWindow Disturbed(DateTimeOffset at) => Leave(at) with { CalmSince = at > CalmSince ? at : CalmSince };

    public FlowWindow Look(DateTimeOffset now, FocusState state, RhythmSnapshot rhythm)
    {
        var inFlow = state == FocusState.Active && now - CalmSince >= Needed
            && rhythm.Energy >= 0.7 && rhythm.StressLevel <= 0.45 && rhythm.FatigueLevel <= 0.5;
        return inFlow
            ? EnteredAt is null ? this with { EnteredAt = now, Praised = false } : this
            : Leave(now);
    }

    /// <summary>A disturbance may turn out to be older than the window (idleness is reported late): then it never was one.</summary>
    private FlowWindow Leave(DateTimeOffset at) => EnteredAt is { } entered
        ? this with { Before = Before + (at > entered ? at - entered : TimeSpan.Zero), EnteredAt = null, Praised = false }
        : this;
}
