using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

/// <summary>What is done wrong on purpose.</summary>
public enum Broken
{
    Nothing,
    CommitsBeforeTheDrop,
    CountsLeasesFromTheAnswer,
    CountsStandingFromTheAnswer,
    StandsAlways,
    ClaimsNothing,
    ClaimsByAnOldMembership,
    TellsOnlyWhomItNoted,
    DoesNotSettle,
    KeepsWhatADropOvertook,
    RevivesALapsedLease,
    AnswersTheKeepaliveWithoutDrops,
    KeepsWhatWasAskedBeforeTheLease,
    TakesGrantsOfAnOlderActivation,
    DoesNotAskAgainForTheUnkept,
    DoesNotLookForMoves,
    TakesTheUnknownForDead,
    LeavesReplicasBehind,
    AnswersWhileItCommits,
}

/// <summary>A grain that owns a row, in one of its activations.</summary>
internal sealed class SimulatedActivation(SimulatedSilo silo, ReplicaKey key, Guid id)
{
    public SimulatedSilo Silo => silo;

    public ReplicaKey Key => key;

    public Guid Id => id;

    public Granting Granting { get; } = new();

    public long Version { get; set; }

    public long Epoch { get; set; }

    public bool IsLoaded { get; set; }

    public bool IsBusy { get; set; }

    /// <summary>The commit is under way: others may know what it makes before this one does.</summary>
    public bool IsCommitting { get; set; }

    /// <summary>It answers nobody any more, and another may begin when it is over.</summary>
    public bool IsEnding { get; set; }

    public bool IsOver { get; set; }

    public override string ToString() => $"{Observed.Name(key)} on {silo} ({id.ToString("N")[..8]})";
}

/// <summary>One silo: what Keeper, Owner and Reading do around the rules, in their order.</summary>
internal sealed class SimulatedSilo(Simulation world, SiloAddress address, double rate)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _began = world.Now;
    private readonly Standing _standing = new();
    private readonly Membership _membership = new(address);
    private readonly Dictionary<SiloAddress, HashSet<ReplicaDrop>> _owed = [];
    private readonly HashSet<SiloAddress> _left = [];
    private readonly HashSet<SiloAddress> _dead = [];
    private readonly Dictionary<SiloAddress, SimulatedSilo> _met = [];
    private readonly Dictionary<ReplicaKey, Guid> _toldBy = [];
    private readonly Dictionary<ReplicaKey, (Replica<object> Replica, SimulatedActivation From)> _kept = [];
    private readonly List<SimulatedActivation> _own = [];
    private int _reads;
    private int _version;
    private bool _stopped;

    private sealed record Grant(long Version, bool MayBeKept);

    private sealed record Owed(ReplicaDrop[]? Drops);

    public SiloAddress Address => address;

    public Holding Holding { get; } = new(address, 1000);

    public Dictionary<ReplicaKey, SimulatedActivation> Known { get; } = [];

    public TimeSpan StoppedUntil { get; set; }

    /// <summary>The process isn't there any more.</summary>
    public bool IsGone { get; set; }

    public bool IsLeaving { get; private set; }

    private TimeSpan Now => (world.Now - _began) * rate;

    private bool IsStanding => world.Broken == Broken.StandsAlways || _standing.Holds(Now);

    public TimeSpan Real(TimeSpan local) => local / rate;

    public bool KnowsDead(SimulatedSilo silo) => _dead.Contains(silo.Address);

    public void Hears(SimulatedSilo dead) => _dead.Add(dead.Address);

    public override string ToString() => $"{(char)('A' + address.Generation - 1)}";

    // ——— Keeper

    public async Task Start()
    {
        await ReadMembership();
        world.Database.Joins(address);
        world.Tell(() => $"{this} joins, its clock runs at {rate:0.000}");
        Beat();
        ReadNow();
        WriteNow();
    }

    /// <summary>In order: its grains end, then its keeper says so. A silo that has no time for that doesn't.</summary>
    public async Task Leave(bool inHurry)
    {
        world.Tell(() => $"{this} leaves");
        IsLeaving = true;
        await Task.WhenAll(inHurry ? [] : _own.Select(Deactivate));
        _stopped = true;
        _standing.End();
        await Task.WhenAll(inHurry ? [] : _met.Values.Where(other => other != this).Select(other => world.Ask(this, other, Patience, () => other.HearsOfLeaving(address))));
        world.Database.Dies(address, endedItself: true);
        world.Rumour(this);
        world.Tell(() => $"{this} has left{(inHurry ? ", in a hurry" : "")}");
        world.After(inHurry ? TimeSpan.Zero : world.Between(0, 3), this, () => IsGone = true);
    }

    private object? HearsOfLeaving(SiloAddress silo)
    {
        _left.Add(silo);
        Holding.Gone(silo);
        return null;
    }

    private void Beat()
    {
        if (_stopped)
        {
            return;
        }

        world.After(Real(Times.Beat), this, Beat);
        world.Go(ReadMembership());
        foreach (var other in _membership.Active.Where(other => !other.Equals(address) && !_left.Contains(other)).Order())
        {
            world.Go(KeepAlive(world.At(other)));
        }

        Holding.Forget(Now);
    }

    public async Task ReadMembership()
    {
        if (_reads == 3)
        {
            return;
        }

        _reads++;
        var sentAt = Now;
        var table = await world.Ask(this, null, Times.Standing, () => world.Database.ReadMembership(address));
        _reads--;
        if (table is null || table.Version < _version)
        {
            return;
        }

        _version = table.Version;
        var before = _membership.Active;
        if (_membership.Saw(table.Members, Now, world.UtcNow))
        {
            _standing.Confirm(world.Broken == Broken.CountsStandingFromTheAnswer ? Now : sentAt);
        }

        foreach (var gone in before.Except(_membership.Active))
        {
            Holding.Gone(gone);
        }
    }

    private async Task KeepAlive(SimulatedSilo other)
    {
        var sentAt = Now;
        _met[other.Address] = other;
        // Nothing relies on the time-out of a call.
        var answer = await world.Ask(this, other, Patience * 10, () => new Owed(
            !other.IsStanding ? null : world.Broken == Broken.AnswersTheKeepaliveWithoutDrops ? [] : [.. other._owed.GetValueOrDefault(address) ?? []]));
        if (answer?.Drops is not { } drops)
        {
            return;
        }

        foreach (var drop in drops)
        {
            Drop(drop);
        }

        if (Holding.Heard(other.Address, world.Broken == Broken.CountsLeasesFromTheAnswer ? Now : sentAt, Now) && world.Broken == Broken.RevivesALapsedLease)
        {
            foreach (var (key, (replica, from)) in _kept.Where(kept => kept.Value.From.Silo == other))
            {
                Holding.Keep(new Fetch(key, Now), new Replica<object>(this, replica.Version), other.Address, from.Id, 1, Now);
            }
        }
    }

    private object Drop(ReplicaDrop drop)
    {
        world.Tell(() => $"{this} drops {Observed.Name(drop.Key)} below {drop.Below}");
        Holding.Drop(drop.Key, drop.By, drop.Below, Now);
        _toldBy[drop.Key] = drop.By;
        _kept.Remove(drop.Key);
        return this;
    }

    private Task TakeBack(ReplicaDrop drop, SiloAddress[] holders, bool isFirst) =>
        Task.WhenAll([.. holders.Order().Select(holder => TakeBackFrom(holder, drop)), isFirst ? Settled() : Task.CompletedTask]);

    private async Task TakeBackFrom(SiloAddress holder, ReplicaDrop drop)
    {
        if (holder.Equals(address))
        {
            Drop(drop);
            return;
        }

        var other = world.At(holder);
        var until = Now + Times.Silence;
        var owed = _owed.TryGetValue(holder, out var known) ? known : _owed[holder] = [];
        owed.Add(drop);
        while (Now < until && !HasEnded(holder) && await world.Ask(this, other, Patience, () => other.Drop(drop), isDrop: true) is null)
        {
            await Wait(Times.Beat / 5);
        }

        owed.Remove(drop);
    }

    private bool HasEnded(SiloAddress holder) => _left.Contains(holder) || ((world.Broken == Broken.TakesTheUnknownForDead ? !_membership.Active.Contains(holder) : _membership.Dead.Contains(holder)) && !MustSettle);

    private bool MustSettle => Now < _membership.SettledAt && world.Broken != Broken.DoesNotSettle;

    private async Task Settled()
    {
        while (MustSettle)
        {
            await Wait(_membership.SettledAt - Now);
        }
    }

    private Task Wait(TimeSpan local)
    {
        var waited = new TaskCompletionSource();
        world.After(Real(local), this, waited.SetResult);
        return waited.Task;
    }

    /// <summary>Between any two steps others come in, or the process is stopped.</summary>
    private Task Step() => world.Chance(0.8) ? Task.CompletedTask : Wait(world.Between(0, world.Chance(0.1) ? 2 : 0.02));

    // ——— Owner

    public async Task Activate(SimulatedActivation own)
    {
        _own.Add(own);
        SimulatedDatabase.Row? row = null;
        while (row is null)
        {
            row = await world.Ask(this, null, Patience, () => world.Database.Load(own.Key));
        }

        // Who says that there was nobody knew of a death; this silo's keeper may not yet.
        while (_version < row.Membership && world.Broken != Broken.ClaimsByAnOldMembership)
        {
            await ReadMembership();
            await Step();
        }

        if (_membership.IsAftermath(Now) && world.Broken != Broken.ClaimsNothing)
        {
            row = null;
            while (row is null)
            {
                row = (await world.Ask(this, null, Patience, () => world.Database.Claim(own.Key, null)))?.Row;
            }
        }

        (own.Version, own.Epoch, own.IsLoaded) = (row.Version, row.Epoch, !own.IsEnding);
        world.Tell(() => $"{own} is there with {own.Version}, epoch {own.Epoch}");
    }

    public async Task Deactivate(SimulatedActivation own)
    {
        if (own.IsEnding)
        {
            return;
        }

        (own.IsEnding, own.IsLoaded) = (true, false);
        world.Tell(() => $"{own} ends");
        while (own.IsBusy)
        {
            await Wait(Times.Beat / 50);
        }

        if (world.Broken != Broken.LeavesReplicasBehind)
        {
            await TakeBack(new ReplicaDrop(own.Key, own.Id, own.Version + 1), own.Granting.Begin([]), isFirst: false);
        }

        own.IsOver = true;
    }

    public async Task Change(SimulatedActivation own)
    {
        if (own.IsBusy || !own.IsLoaded || !IsStanding)
        {
            return;
        }

        own.IsBusy = true;
        var early = world.Broken == Broken.CommitsBeforeTheDrop && await Commit(own);
        var isFirst = own.Granting.IsFirstChange;
        var holders = own.Granting.Begin(world.Broken == Broken.TellsOnlyWhomItNoted ? [] : _membership.Active);
        await TakeBack(new ReplicaDrop(own.Key, own.Id, own.Version + 1), holders, isFirst);
        own.Granting.TakenBack();
        await Step();
        // One that the directory lost while it was loaded may have claimed after its successor.
        if (early || !IsStanding || own.IsEnding || await Commit(own))
        {
            own.Granting.End();
        }

        own.IsBusy = false;
    }

    /// <summary>False where another was first: this activation ends.</summary>
    private async Task<bool> Commit(SimulatedActivation own)
    {
        await Step();
        own.IsCommitting = world.Broken != Broken.AnswersWhileItCommits;
        var (version, epoch) = (own.Version, own.Epoch);
        var changed = await world.Ask(this, null, Patience * 2, () => world.Database.Commit(own.Key, version, epoch));
        while (changed is null)
        {
            // Nobody knows whether it happened, or will: after the claim it has, or never does.
            changed = await world.Ask(this, null, Patience, () => world.Database.Claim(own.Key, epoch));
        }

        if (changed.Row is not { } row)
        {
            world.Tell(() => $"{own} was overtaken");
            (own.IsLoaded, own.IsEnding, own.IsOver) = (false, true, true);
            return false;
        }

        await Step();
        (own.Version, own.Epoch, own.IsCommitting) = (row.Version, row.Epoch, false);
        if (own.Version > version)
        {
            world.Tell(() => $"{own} is now {own.Version}");
            world.Observed.Acknowledged(own.Key, own.Version);
        }

        return true;
    }

    // ——— Reading

    private void ReadNow()
    {
        world.After(world.Between(0.05, 0.5), this, ReadNow);
        var key = world.Any(world.Keys);
        world.Go(world.Chance(0.5) ? Read(key) : Read(key, world.Keys.First(other => other != key)));
    }

    private void WriteNow()
    {
        world.After(world.Between(0.1, 2), this, WriteNow);
        var own = world.Locate(this, world.Any(world.Keys));
        if (own.Silo == this && own.Key != world.LeftAlone)
        {
            world.Go(world.Chance(0.2) ? Deactivate(own) : Change(own));
        }
    }

    public async Task Read(ReplicaKey key)
    {
        var floor = world.Observed.Floor(key);
        if (!IsStanding)
        {
            return;
        }

        if ((Holding.Find(key, Now) ?? await Fetch(key)) is { } replica)
        {
            world.Tell(() => $"{this} reads {Observed.Name(key)} {replica.Version}{(replica.Lease is null ? ", unkept" : "")}");
            world.Observed.Read(key, replica.Version, floor);
        }
    }

    private async Task Read(ReplicaKey key, ReplicaKey other)
    {
        var floors = (world.Observed.Floor(key), world.Observed.Floor(other));
        var unkept = new Dictionary<ReplicaKey, Replica>();
        for (var tries = 0; tries < 10 && IsStanding; tries++)
        {
            var (moves, now, until) = (Holding.Moves, Now, TimeSpan.MaxValue);
            if (Take(key, now, unkept, ref until) is not { } one)
            {
                await FetchInto(unkept, key);
                continue;
            }

            await Step();
            if (Take(other, now, unkept, ref until) is not { } two)
            {
                await FetchInto(unkept, other);
                continue;
            }

            await Step();
            if (Held() && (unkept.Count == 0 || (await AreStill(unkept) && Held())))
            {
                world.Tell(() => $"{this} reads {Observed.Name(key)} {one.Version} and {Observed.Name(other)} {two.Version}{(unkept.Count > 0 ? ", unkept" : "")}");
                world.Observed.Read(key, one.Version, floors.Item1);
                world.Observed.Read(other, two.Version, floors.Item2);
                world.Observed.ReadTogether(key, one.Version, other, two.Version);
                return;
            }

            bool Held() => (Holding.Moves == moves || world.Broken == Broken.DoesNotLookForMoves) && Now <= until && IsStanding;
        }
    }

    private Replica? Take(ReplicaKey key, TimeSpan now, Dictionary<ReplicaKey, Replica> unkept, ref TimeSpan until)
    {
        if (Holding.Find(key, now) is not { } held)
        {
            return unkept.GetValueOrDefault(key);
        }

        unkept.Remove(key);
        until = held.Lease!.Until < until ? held.Lease.Until : until;
        return held;
    }

    private async Task<bool> AreStill(Dictionary<ReplicaKey, Replica> unkept)
    {
        var all = true;
        foreach (var (key, replica) in world.Broken == Broken.DoesNotAskAgainForTheUnkept ? [] : unkept.ToArray())
        {
            if ((await Fetch(key))?.Version != replica.Version)
            {
                unkept.Remove(key);
                all = false;
            }
        }

        return all;
    }

    private async Task FetchInto(Dictionary<ReplicaKey, Replica> unkept, ReplicaKey key)
    {
        if (await Fetch(key) is { Lease: null } replica)
        {
            unkept[key] = replica;
        }
    }

    public async Task<Replica?> Fetch(ReplicaKey key)
    {
        var fetch = Holding.Begin(key, Now);
        var owner = world.Locate(this, key);
        var grant = await world.Ask(this, owner.Silo, Patience * 30, () =>
            owner is { IsLoaded: true, IsCommitting: false } && owner.Silo.IsStanding ? new Grant(owner.Version, owner.Granting.Grant(address)) : null);
        if (grant is not { MayBeKept: true })
        {
            Holding.End(fetch);
            return grant is null ? null : new Replica<object>(this, grant.Version);
        }

        var asked = world.Broken switch
        {
            Broken.KeepsWhatADropOvertook => new Fetch(key, fetch.SentAt),
            Broken.KeepsWhatWasAskedBeforeTheLease when !fetch.IsOvertaken => new Fetch(key, Now),
            _ => fetch,
        };
        var by = world.Broken == Broken.TakesGrantsOfAnOlderActivation ? _toldBy.GetValueOrDefault(key) : owner.Id;
        var replica = (Replica<object>)Holding.Keep(asked, new Replica<object>(this, grant.Version), owner.Silo.Address, by, 1, Now);
        Holding.End(fetch);
        if (replica.Lease is not null)
        {
            _kept[key] = (replica, owner);
        }

        return replica;
    }
}
