namespace PersonaActors.Grains.Replicas;

/// <summary>The times of the protocol (see <see cref="Holding"/>). What waits waits longer than what ends by itself, by more than clocks differ.</summary>
public static class Times
{
    /// <summary>For so long after it was asked an answer of the owner's silo keeps its replicas alive.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    /// <summary>For so long after it looked a silo that found itself in the membership belongs to the cluster.</summary>
    public static readonly TimeSpan Standing = TimeSpan.FromSeconds(2);

    /// <summary>After so long what a silent silo holds has ended: lease and standing, with room for clocks that differ by a tenth.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(6);

    /// <summary>For so long a silo that was voted out may have a commit under way.</summary>
    public static readonly TimeSpan Aftermath = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(0.5);

    /// <summary>A silo that was heard for so long has come to rest after its start.</summary>
    public static readonly TimeSpan Acquaintance = TimeSpan.FromSeconds(10);
}

/// <summary>
/// What one silo knows of another's being there, without a break: once it has ended nothing revives it, the next is another
/// one. Times are of this process's monotonic clock, since its start.
/// </summary>
/// <param name="since">When the first request was sent whose answer it lives by.</param>
public sealed class Lease(TimeSpan since, TimeSpan until)
{
    private long _until = until.Ticks;

    public TimeSpan Since { get; } = since;

    public TimeSpan Until => new(Volatile.Read(ref _until));

    public bool Holds(TimeSpan now) => now <= Until;

    /// <summary>An older answer changes nothing.</summary>
    public void Extend(TimeSpan until) => Volatile.Write(ref _until, Math.Max(_until, until.Ticks));

    public void End() => Volatile.Write(ref _until, long.MinValue);
}

/// <summary>That this silo belongs to the cluster, as it last read. Unlike a lease it comes back: nobody answers for it.</summary>
public sealed class Standing
{
    private long _until = long.MinValue;
    private bool _isOver;

    public bool Holds(TimeSpan now) => !Volatile.Read(ref _isOver) && now.Ticks <= Volatile.Read(ref _until);

    /// <param name="sentAt">When the question was sent whose answer says so.</param>
    public void Confirm(TimeSpan sentAt) => Volatile.Write(ref _until, Math.Max(_until, (sentAt + Times.Standing).Ticks));

    /// <summary>For good: the silo leaves, and others rely on it. An answer that is still on its way changes nothing.</summary>
    public void End() => Volatile.Write(ref _isOver, true);
}
