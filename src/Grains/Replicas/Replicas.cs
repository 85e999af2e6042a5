using PersonaActors.Contracts.Replicas;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Replicas;

/// <summary>How an owner is asked for its view, and how much memory that takes, roughly.</summary>
public sealed class ReplicaOf<T>(Func<IGrainFactory, ReplicaKey, SiloAddress, ValueTask<Granted<T>>> ask, Func<T, int> size)
    where T : class
{
    public ValueTask<Granted<T>> Ask(IGrainFactory grains, ReplicaKey key, SiloAddress silo) => ask(grains, key, silo);

    public int Size(T? view) => view is null ? 0 : size(view);
}

/// <summary>The reader's side: any owner's view, from this silo's memory where it holds it.</summary>
public sealed class Replicas(Keeper keeper, IGrainFactory grains)
{
    public Keeper Keeper => keeper;

    /// <summary>One entity by itself, as it is at some moment between the call and its answer.</summary>
    public async ValueTask<T?> Read<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        keeper.CheckStanding();
        return keeper.Holding.Find(key, keeper.Now) is Replica<T> held ? held.View : (await Fetch(of, key)).View;
    }

    /// <summary>Each further try means that a write came between, or that something had to be fetched; so many in a row no writer manages.</summary>
    private const int MostTries = 100;

    /// <summary>What is taken of several, all of which held at one moment after this began: it is taken anew until they did.</summary>
    /// <param name="of">What <paramref name="take"/> needs, so that it needn't be made for each call.</param>
    /// <returns>And whether whoever keeps it is told when any of it moves.</returns>
    public async ValueTask<(T Taken, bool IsSettled)> AtOnce<TOf, T>(TOf of, Func<Reading, TOf, T> take)
    {
        var reading = new Reading(this);
        for (var tries = 0; tries < MostTries; tries++)
        {
            reading.Start();
            var taken = take(reading, of);
            if (reading.IsMissing)
            {
                await reading.Fetch();
            }
            else if (await reading.Holds())
            {
                return (taken, !reading.HasUnkept);
            }
        }

        throw new TimeoutException("What was asked for changed faster than it could be read.");
    }

    /// <summary>Asks the owner. What it lets go is kept.</summary>
    internal async ValueTask<Replica<T>> Fetch<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        var fetch = keeper.Holding.Begin(key, keeper.Now);
        try
        {
            var answer = of.Ask(grains, key, keeper.Silo).AsTask();
            await answer.Unless(() => !keeper.HearsAll, keeper.Time);
            var granted = await answer;
            var replica = new Replica<T>(granted.View, granted.Version, granted.Activation, granted.Changes);
            return granted.MayBeKept
                ? (Replica<T>)keeper.Holding.Keep(fetch, replica, granted.Owner, granted.Activation, of.Size(granted.View), keeper.Now)
                : replica;
        }
        finally
        {
            keeper.Holding.End(fetch);
        }
    }
}

/// <summary>
/// One look at several owners' views, all of which held at one moment after it began. The caller takes what it needs, fetches
/// what is missing, and begins anew until <see cref="Holds"/> says so.
/// </summary>
public sealed class Reading(Replicas replicas)
{
    private readonly Keeper _keeper = replicas.Keeper;
    private readonly List<Func<Task>> _missing = [];

    /// <summary>Views that couldn't be kept, with how to ask whether they are still what their owner has.</summary>
    private Dictionary<ReplicaKey, (Replica View, Func<Task<bool>> IsStill)>? _unkept;
    private long _moves;
    private TimeSpan _now;
    private TimeSpan _until;

    public bool IsMissing => _missing.Count > 0;

    /// <summary>Some of it was used without being kept: nobody will say when it moves.</summary>
    public bool HasUnkept => _unkept is { Count: > 0 };

    public void Start()
    {
        _keeper.CheckStanding();
        _missing.Clear();
        _moves = _keeper.Holding.Moves;
        _now = _keeper.Now;
        _until = TimeSpan.MaxValue;
    }

    /// <summary>Null if it has to be fetched first.</summary>
    public Replica<T>? Take<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        if (_keeper.Holding.Find(key, _now) is { } held)
        {
            _unkept?.Remove(key);
            _until = held.Lease!.Until is var until && until < _until ? until : _until;
            return (Replica<T>)held;
        }

        if (_unkept is not null && _unkept.TryGetValue(key, out var unkept))
        {
            return (Replica<T>)unkept.View;
        }

        Miss(of, key);
        return null;
    }

    /// <summary>By itself, so that who finds what it takes pays for no closure.</summary>
    private void Miss<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class => _missing.Add(() => Fetch(of, key));

    /// <summary>Asks for what was missing.</summary>
    public Task Fetch() => Task.WhenAll(_missing.Select(fetch => fetch()));

    /// <summary>Whether all that was taken since the start held at once. What couldn't be kept is asked for once more.</summary>
    public async ValueTask<bool> Holds()
    {
        for (var i = 0; HasUnkept && i < _unkept!.Count; i++)
        {
            var (key, (_, isStill)) = _unkept.ElementAt(i);
            if (!await isStill())
            {
                _unkept.Remove(key);
                return false;
            }
        }

        return _keeper.Holding.Moves == _moves && _keeper.Now <= _until && _keeper.IsStanding;
    }

    private async Task Fetch<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        var replica = await replicas.Fetch(of, key);
        if (replica.Lease is null)
        {
            lock (_missing)
            {
                (_unkept ??= [])[key] = (replica, async () => (await replicas.Fetch(of, key)).IsAs(replica));
            }
        }
    }
}
