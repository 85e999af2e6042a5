using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

/// <summary>How it is between two for a while.</summary>
internal sealed record Line(double Loses, TimeSpan Takes, TimeSpan Until)
{
    public bool ForDropsOnly { get; init; }

    public static Line Dead(TimeSpan until) => new(1, TimeSpan.Zero, until);
}

/// <summary>
/// The protocol of replicas in a cluster that is had by chance: a queue of what happens next, by one seed. Silos' clocks run
/// differently, messages are late or lost, silos stop and go on, can't reach each other or the database, are voted dead rightly
/// and wrongly, leave, die and are replaced. The rules are those of <see cref="Holding"/>, <see cref="Granting"/>,
/// <see cref="Membership"/> and <see cref="Standing"/>; what goes on around them is <see cref="SimulatedSilo"/>.
///
/// Flows are written with await. All of them go on from this queue, in this thread: nothing here is left to a scheduler.
/// </summary>
internal sealed class Simulation
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(24);
    private static readonly DateTime Midnight = new(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly PriorityQueue<(SimulatedSilo? On, Action What), (TimeSpan, long)> _queue = new();
    private readonly Dictionary<(SimulatedSilo?, SimulatedSilo?), Line> _bad = [];
    private readonly Dictionary<ReplicaKey, SimulatedActivation> _directory = [];
    private readonly List<SimulatedSilo> _silos = [];
    private readonly List<Task> _flows = [];
    private readonly List<string>? _schedule;
    private readonly int _seed;
    private readonly Random _chance;
    private long _order;

    public Simulation(int seed, Broken broken, bool told = false)
    {
        (_seed, Broken, _chance, _schedule) = (seed, broken, new Random(seed), told ? [] : null);
        Observed = new Observed(() => Now);
        Database = new SimulatedDatabase(Observed, () => UtcNow);
        Keys = [.. Enumerable.Range(0, 2).Select(i => new ReplicaKey(ReplicaKind.User, Guid.Empty, Guid.Empty, new Guid(i, 0, 0, new byte[8])))];
    }

    public Broken Broken { get; }

    public ReplicaKey[] Keys { get; }

    /// <summary>Nobody writes it for now, but for what is to coincide.</summary>
    public ReplicaKey? LeftAlone { get; set; }

    public TimeSpan Now { get; private set; }

    public DateTime UtcNow => Midnight + Now;

    public Observed Observed { get; }

    public SimulatedDatabase Database { get; }

    /// <summary>What went wrong, if anything, with all that led to it if it is to be told.</summary>
    public string? Run()
    {
        foreach (var key in Keys)
        {
            Database.Insert(key);
        }

        for (var i = 0; i < 3 + _chance.Next(2); i++)
        {
            Start();
        }

        // Much that has nothing to do with each other, or little besides what has.
        var coincides = Chance(0.5);
        for (var i = coincides ? _chance.Next(3) : 2 + _chance.Next(5); i > 0; i--)
        {
            After(Between(0.5, 12), null, Fault);
        }

        if (coincides)
        {
            After(Between(1, 10), null, Coincide);
        }

        while (Observed.Violation is null && _queue.TryDequeue(out var next, out var at) && at.Item1 < Length)
        {
            Now = at.Item1;
            if (next.On is { } silo && silo.IsGone)
            {
                continue;
            }

            if (next.On is { } stopped && stopped.StoppedUntil > Now)
            {
                // Which of what waited comes first when it wakes is anybody's guess.
                After(stopped.StoppedUntil - Now + Between(0, 0.02), stopped, next.What);
                continue;
            }

            next.What();
        }

        foreach (var silo in _silos)
        {
            silo.Holding.Dispose();
        }

        // A bug in the simulation is thrown here.
        foreach (var flow in _flows.Where(flow => flow.IsFaulted))
        {
            flow.GetAwaiter().GetResult();
        }

        return Observed.Violation is { } violation ? $"Seed {_seed}: {violation}\n{string.Join('\n', _schedule ?? [])}" : null;
    }

    public void Tell(Func<string> what) => _schedule?.Add($"{Now.TotalSeconds,8:0.000} {what()}");

    public bool Chance(double of) => _chance.NextDouble() < of;

    public TimeSpan Between(double from, double to) => TimeSpan.FromTicks((long)((from + (_chance.NextDouble() * (to - from))) * TimeSpan.TicksPerSecond));

    public T Any<T>(IReadOnlyList<T> of) => of[_chance.Next(of.Count)];

    public void After(TimeSpan wait, SimulatedSilo? on, Action what) => _queue.Enqueue((on, what), (Now + wait, _order++));

    /// <summary>Goes on by itself; nobody waits for it.</summary>
    public void Go(Task flow)
    {
        if (!flow.IsCompletedSuccessfully)
        {
            _flows.Add(flow);
        }
    }

    /// <param name="to">The database, if nobody.</param>
    /// <returns>Nothing if no answer came in time: it may have been done, or be done later.</returns>
    public Task<T?> Ask<T>(SimulatedSilo from, SimulatedSilo? to, TimeSpan patience, Func<T?> what, bool isDrop = false)
        where T : class
    {
        var answer = new TaskCompletionSource<T?>();
        After(from.Real(patience), from, () => answer.TrySetResult(null));
        if (to is null || !from.KnowsDead(to))
        {
            Send(from, to, () =>
            {
                var result = what();
                Send(to, from, () => answer.TrySetResult(result));
            }, isDrop);
        }

        return answer.Task;
    }

    /// <summary>Whom a silo asks for a key: whom it knows, as long as it doesn't know better; else the one there is, or a new one.</summary>
    public SimulatedActivation Locate(SimulatedSilo from, ReplicaKey key)
    {
        if (from.Known.TryGetValue(key, out var known) && !known.IsOver && !from.KnowsDead(known.Silo))
        {
            return known;
        }

        if (!_directory.TryGetValue(key, out var current) || current.IsOver || Database.IsDead(current.Silo.Address))
        {
            var silo = Database.Active.ToArray() is { Length: > 0 } active ? At(Any(active)) : from;
            _directory[key] = current = new SimulatedActivation(silo, key, new Guid((int)_order, 1, 0, new byte[8]));
            Tell(() => $"{from} finds nobody for {Observed.Name(key)}: {current} begins");
            After(Travel(), silo, () => Go(silo.Activate(current)));
        }

        return from.Known[key] = current;
    }

    public SimulatedSilo At(SiloAddress silo) => _silos.Find(known => known.Address.Equals(silo))!;

    public void Spoil(SimulatedSilo? from, SimulatedSilo? to, Line line) => _bad[(from, to)] = line;

    public void Stop(SimulatedSilo silo, TimeSpan wait)
    {
        silo.StoppedUntil = Now + wait;
        Tell(() => $"{silo} stops until {silo.StoppedUntil.TotalSeconds:0.000}");
    }

    private void Send(SimulatedSilo? from, SimulatedSilo? to, Action what, bool isDrop = false)
    {
        var line = _bad.TryGetValue((from, to), out var bad) && bad.Until > Now && (isDrop || !bad.ForDropsOnly) ? bad : null;
        if (from == to)
        {
            After(TimeSpan.Zero, to, what);
        }
        else if (!Chance(line?.Loses ?? 0.01))
        {
            After((line?.Takes ?? TimeSpan.Zero) + Travel(), to, what);
        }
    }

    private TimeSpan Travel() => _chance.Next(100) switch
    {
        0 => Between(0, 6),
        < 8 => Between(0, 1.5),
        _ => Between(0.001, 0.01),
    };

    private void Start()
    {
        var silo = new SimulatedSilo(this, SiloAddress.New(IPAddress.Loopback, 1000, _silos.Count + 1), Between(0.9, 1.1) / TimeSpan.FromSeconds(1));
        _silos.Add(silo);
        Go(silo.Start());
    }

    private List<SimulatedSilo> Live() => _silos.FindAll(silo => !silo.IsGone && !silo.IsLeaving && Database.Active.Contains(silo.Address));

    private void Coincide()
    {
        var live = Live();
        if (live.Count < 2 || _directory.GetValueOrDefault(Any(Keys)) is not { IsLoaded: true } own || !live.Remove(own.Silo))
        {
            After(Between(0.1, 0.5), null, Coincide);
            return;
        }

        var holder = Any(live);
        live.Remove(holder);
        new Coincidences(this).Happen(own, holder, live.Count > 0 ? Any(live) : holder);
    }

    private void Fault()
    {
        var live = Live();
        if (live.Count < 2)
        {
            return;
        }

        var silo = Any(live);
        switch (_chance.Next(7))
        {
            case 0:
                Stop(silo, Between(0, 15));
                MayBeVotedDead(silo, 0.4);
                break;
            case 1 or 6:
                var other = Any(live);
                Disturb(silo, other == silo ? null : other);
                MayBeVotedDead(silo, 0.4);
                break;
            case 2:
                var (from, to) = Chance(0.5) ? (silo, (SimulatedSilo?)null) : (null, silo);
                Disturb(from, to);
                MayBeVotedDead(silo, 0.3);
                break;
            case 3:
                silo.IsGone = true;
                Tell(() => $"{silo} dies");
                MayBeVotedDead(silo, 1);
                break;
            case 4:
                MayBeVotedDead(silo, 1);
                break;
            case 5:
                Go(silo.Leave(inHurry: Chance(0.5)));
                After(Between(0, 2), null, Start);
                break;
        }
    }

    private void Disturb(SimulatedSilo? one, SimulatedSilo? other)
    {
        var until = Now + Between(0.2, 14);
        var line = _chance.Next(4) switch
        {
            0 => new Line(0.75, TimeSpan.Zero, until),
            1 => new Line(0.01, Between(0.5, 8), until),
            _ => new Line(1, TimeSpan.Zero, until),
        };
        var bothWays = Chance(0.6);
        _bad[(one, other)] = line;
        if (bothWays)
        {
            _bad[(other, one)] = line;
        }

        Tell(() => $"{one?.ToString() ?? "The database"} {(bothWays ? "from and to" : "to")} {other?.ToString() ?? "the database"}: {line}");
    }

    private void MayBeVotedDead(SimulatedSilo silo, double chance)
    {
        if (!Chance(chance))
        {
            return;
        }

        After(Between(0.1, 4), null, () => VoteDead(silo));
    }

    public void VoteDead(SimulatedSilo silo)
    {
        if (Database.IsDead(silo.Address) || !Database.Active.Contains(silo.Address) || (Database.Active.Count() < 2 && !silo.IsGone))
        {
            return;
        }

        Database.Dies(silo.Address, endedItself: false);
        Tell(() => $"{silo} is voted dead{(silo.IsGone ? "" : ", wrongly")}");
        Rumour(silo);
        After(Between(0, 4), null, Start);
    }

    /// <summary>What the cluster itself knows of a death, sooner or later than the keepers. Where its part of the directory was, activations end.</summary>
    public void Rumour(SimulatedSilo dead)
    {
        var lost = !dead.IsLeaving && Chance(0.2) ? Any(Keys) : null;
        if (lost is not null && _directory.Remove(lost, out var last) && last.Silo != dead)
        {
            Tell(() => $"The directory lost {last}");
            After(Between(0, 2), last.Silo, () => Go(last.Silo.Deactivate(last)));
        }

        foreach (var silo in _silos.Where(silo => silo != dead))
        {
            After(Between(0, 2), silo, () => silo.Hears(dead));
        }
    }
}
