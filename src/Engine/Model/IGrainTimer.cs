using System.Diagnostics.CodeAnalysis;

namespace PersonaActors.Engine;

/// <summary>A timer of a grain; it ends when disposed of, and with its activation.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>From within its own callback: takes effect when the callback has ended.</summary>
    void Change(TimeSpan dueTime, TimeSpan period);
}

#pragma warning disable CA1815 // Nobody compares options.
public readonly struct GrainTimerCreationOptions()
{
    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period)
        : this()
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>Until the first callback; infinite: none before <see cref="IGrainTimer.Change"/>.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>From the end of a callback to the next; infinite: once.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>The callback may run between the awaits of other calls.</summary>
    public bool Interleave { get; init; }

    /// <summary>A callback counts as use of the grain, so it isn't idle.</summary>
    public bool KeepAlive { get; init; }
}
#pragma warning restore CA1815

public static class GrainBaseExtensions
{
    /// <summary>Runs the callback as a turn of the grain. One that throws is logged, and the next comes all the same.</summary>
    public static IGrainTimer RegisterGrainTimer(
        this IGrainBase grain, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        ArgumentNullException.ThrowIfNull(grain);
        ArgumentNullException.ThrowIfNull(callback);
        return ((Activation)grain.GrainContext).AddTimer(callback, options);
    }
}
