using Microsoft.Extensions.Caching.Memory;

namespace PersonaActors.Grains.Replicas;

/// <summary>An owner's view at one version, as a silo holds it.</summary>
public abstract class Replica(long version, Guid activation, long changes)
{
    public long Version { get; } = version;

    /// <summary>Whether the owner has shown the same since. One that was loaded again in between may have read what others wrote; where nothing is, there is nothing to read.</summary>
    public bool IsAs(Replica other) => Version == other.Version && (IsEmpty && other.IsEmpty || (Activation, Changes) == (other.Activation, other.Changes));

    protected abstract bool IsEmpty { get; }

    private Guid Activation { get; } = activation;

    private long Changes { get; } = changes;

    /// <summary>The owner's silo's; none for a view that its owner didn't let go, which is used once and not kept.</summary>
    public Lease? Lease { get; internal set; }
}

/// <param name="view">Null where the owner says that there is no such thing.</param>
/// <param name="activation">Of the owner, that answered it after so many changes.</param>
public sealed class Replica<T>(T? view, long version, Guid activation = default, long changes = 0) : Replica(version, activation, changes)
    where T : class
{
    private object? _made;

    public T? View { get; } = view;

    protected override bool IsEmpty => View is null;

    /// <summary>What was made of the view: it hangs on it and goes with it. Only one kind of thing is made of each kind of view.</summary>
    public TMade Made<TMade>(Func<T, TMade> make) where TMade : class => (TMade)(Volatile.Read(ref _made) ?? (_made = make(View!)));
}

/// <summary>A question on its way to an owner.</summary>
public sealed class Fetch(ReplicaKey key, TimeSpan sentAt)
{
    public ReplicaKey Key { get; } = key;

    public TimeSpan SentAt { get; } = sentAt;

    /// <summary>What it asks for was taken back meanwhile: the answer may be from before.</summary>
    public bool IsOvertaken { get; internal set; }
}

/// <summary>
/// The replicas of one silo, and the protocol by which each is what its owner holds. It is the one of processors' caches: many
/// may hold a copy to read, and who wants to change it takes all copies back first.
///
/// An owner (<see cref="Granting"/>) answers a silo that asks and notes it. Before it commits it tells each noted silo to drop
/// the replica, and waits for its word; a new activation, which can't know whom its predecessor noted, tells every silo. A silo
/// that is silent is waited out: its replicas hold only while it has heard from the owner's silo (<see cref="Lease"/>) and
/// belongs to the cluster (<see cref="Standing"/>), and both end by its own clock. An answer to the keepalive carries the drops
/// that have no answer yet, so no lease outlives a drop that was lost. Both count from when the question was sent.
///
/// Replicas die with the lease they were granted under: it never comes back, a new one begins. A fetch that was sent before the
/// lease began, or that a drop overtook, isn't kept. Who was told to drop by one activation takes nothing older from another.
///
/// Nothing here waits or asks: it is given the time and what was heard, so that it can be simulated. Times are of the silo's
/// monotonic clock.
/// </summary>
public sealed class Holding(SiloAddress self, long sizeLimit) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MemoryCache _held = new(new MemoryCacheOptions { SizeLimit = sizeLimit });
    private readonly Dictionary<ReplicaKey, List<Fetch>> _fetches = [];
    private readonly Dictionary<SiloAddress, Lease> _leases = [];
    private readonly Dictionary<ReplicaKey, Told> _told = [];
    private Lease _own = new(TimeSpan.MinValue, TimeSpan.MaxValue);
    private long _moves;

    /// <summary>By whom, and below which version, what others grant is old.</summary>
    private readonly record struct Told(Guid By, long Below, TimeSpan At);

    /// <summary>Rises with every drop. If it is the same before the first replica was found and after the last, all of them held at once.</summary>
    public long Moves => Volatile.Read(ref _moves);

    public Replica? Find(ReplicaKey key, TimeSpan now) =>
        _held.TryGetValue(key, out Replica? replica) && replica!.Lease!.Holds(now) ? replica : null;

    public Fetch Begin(ReplicaKey key, TimeSpan now)
    {
        var fetch = new Fetch(key, now);
        lock (_lock)
        {
            if (!_fetches.TryGetValue(key, out var fetches))
            {
                _fetches[key] = fetches = [];
            }

            fetches.Add(fetch);
        }

        return fetch;
    }

    /// <summary>It brought nothing that may be kept.</summary>
    public void End(Fetch fetch)
    {
        lock (_lock)
        {
            if (_fetches.TryGetValue(fetch.Key, out var fetches) && fetches.Remove(fetch) && fetches.Count == 0)
            {
                _fetches.Remove(fetch.Key);
            }
        }
    }

    /// <summary>The owner lets the silo keep what the fetch brought.</summary>
    /// <returns>What is held from now on: it, or the same version that another fetch brought. It without a lease, if it can't be kept.</returns>
    public Replica Keep(Fetch fetch, Replica replica, SiloAddress owner, Guid activation, int size, TimeSpan now)
    {
        lock (_lock)
        {
            End(fetch);
            var lease = owner.Equals(self) ? _own : _leases.GetValueOrDefault(owner);
            if (fetch.IsOvertaken || lease is null || !lease.Holds(now) || fetch.SentAt < lease.Since
                || (_told.TryGetValue(fetch.Key, out var told) && told.By != activation && replica.Version < told.Below))
            {
                return replica;
            }

            if (Find(fetch.Key, now) is { } held && held.Version == replica.Version)
            {
                return held;
            }

            replica.Lease = lease;
            return _held.Set(fetch.Key, replica, new MemoryCacheEntryOptions { Size = size });
        }
    }

    /// <summary>An owner is about to change. What isn't held is dropped like what is.</summary>
    /// <param name="below">The version that the change makes.</param>
    public void Drop(ReplicaKey key, Guid by, long below, TimeSpan now)
    {
        lock (_lock)
        {
            _told[key] = new Told(by, below, now);
            foreach (var fetch in _fetches.GetValueOrDefault(key) ?? [])
            {
                fetch.IsOvertaken = true;
            }

            _held.Remove(key);
            Interlocked.Increment(ref _moves);
        }
    }

    /// <summary>A silo answered the keepalive, after the drops that came with the answer were done.</summary>
    /// <returns>Whether a lease begins: what was held under one before it is lost.</returns>
    public bool Heard(SiloAddress from, TimeSpan sentAt, TimeSpan now)
    {
        lock (_lock)
        {
            if (_leases.TryGetValue(from, out var lease) && lease.Holds(now))
            {
                lease.Extend(sentAt + Times.Lease);
                return false;
            }

            lease = new Lease(sentAt, sentAt + Times.Lease);
            _leases[from] = lease;
            return true;
        }
    }

    /// <summary>A silo isn't heard any more. One that has just come, and one that is only slow, may miss a beat or two.</summary>
    public bool IsSilent(SiloAddress silo, TimeSpan now)
    {
        lock (_lock)
        {
            return _leases.TryGetValue(silo, out var lease) && lease.Until - lease.Since >= Times.Acquaintance && now > lease.Until + Times.Beat;
        }
    }

    /// <summary>The silo wasn't in the cluster for a while, as far as it knew: what it held of its own grains ends with those.</summary>
    public void Lapse(TimeSpan now)
    {
        lock (_lock)
        {
            _own.End();
            _own = new Lease(now, TimeSpan.MaxValue);
            Interlocked.Increment(ref _moves);
        }
    }

    /// <summary>A silo left the cluster.</summary>
    public void Gone(SiloAddress silo)
    {
        lock (_lock)
        {
            if (_leases.Remove(silo, out var lease))
            {
                lease.End();
            }
        }
    }

    /// <summary>Forgets who told to drop long ago: no older activation speaks any more.</summary>
    public void Forget(TimeSpan now)
    {
        lock (_lock)
        {
            foreach (var (key, told) in _told)
            {
                if (now - told.At > Times.Aftermath)
                {
                    _told.Remove(key);
                }
            }
        }
    }

    public void Dispose() => _held.Dispose();
}
