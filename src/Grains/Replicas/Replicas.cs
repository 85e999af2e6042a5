using PersonaActors.Contracts;
using PersonaActors.Contracts.Replicas;

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

    /// <summary>A look at several at once.</summary>
    public Reading Begin() => new(this);

    /// <summary>Asks the owner. What it lets go is kept.</summary>
    internal async ValueTask<Replica<T>> Fetch<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        var fetch = keeper.Holding.Begin(key, keeper.Now);
        try
        {
            var granted = await of.Ask(grains, key, keeper.Silo);
            var replica = new Replica<T>(granted.View, granted.Version);
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

    /// <summary>Views that couldn't be kept, with how to ask for them again.</summary>
    private Dictionary<ReplicaKey, Unkept>? _unkept;
    private Func<ValueTask>? _missing;
    private long _moves;
    private TimeSpan _now;
    private TimeSpan _until;

    private sealed record Unkept(Replica Replica, Func<ValueTask<bool>> IsStill);

    /// <summary>Some of it was used without being kept: nobody will say when it moves.</summary>
    public bool HasUnkept => _unkept is { Count: > 0 };

    public void Start()
    {
        _keeper.CheckStanding();
        _moves = _keeper.Holding.Moves;
        _now = _keeper.Now;
        _until = TimeSpan.MaxValue;
        _missing = null;
    }

    /// <summary>False if it has to be fetched first.</summary>
    public bool TryTake<T>(ReplicaOf<T> of, ReplicaKey key, out Replica<T> replica)
        where T : class
    {
        var found = _keeper.Holding.Find(key, _now);
        if (found is not null)
        {
            _unkept?.Remove(key);
            var until = found.Lease!.Until;
            _until = until < _until ? until : _until;
        }
        else if (_unkept is not null && _unkept.TryGetValue(key, out var unkept))
        {
            found = unkept.Replica;
        }
        else
        {
            _missing = () => Fetch(of, key);
        }

        replica = (Replica<T>)found!;
        return found is not null;
    }

    /// <summary>Asks for what was missing.</summary>
    public ValueTask Fetch() => _missing!();

    /// <summary>Whether all that was taken since the start held at once.</summary>
    public ValueTask<bool> Holds()
    {
        var held = _keeper.Holding.Moves == _moves && _keeper.Now <= _until && _keeper.IsStanding;
        return held && HasUnkept ? AreStill() : ValueTask.FromResult(held);
    }

    /// <summary>Asked once more, after the last was taken. What has moved is fetched anew.</summary>
    private async ValueTask<bool> AreStill()
    {
        var all = true;
        foreach (var (key, unkept) in _unkept!.ToArray())
        {
            if (!await unkept.IsStill())
            {
                _unkept!.Remove(key);
                all = false;
            }
        }

        return all && _keeper.Holding.Moves == _moves && _keeper.Now <= _until && _keeper.IsStanding;
    }

    private async ValueTask Fetch<T>(ReplicaOf<T> of, ReplicaKey key)
        where T : class
    {
        var replica = await replicas.Fetch(of, key);
        if (replica.Lease is null)
        {
            (_unkept ??= [])[key] = new Unkept(replica, async () => (await replicas.Fetch(of, key)).Version == replica.Version);
        }
    }
}
