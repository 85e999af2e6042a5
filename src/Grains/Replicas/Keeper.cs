using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Replicas;

/// <summary>
/// One silo's part in the protocol of replicas (see <see cref="Holding"/>): reads the membership and asks the other silos, both
/// twice a second, and carries drops.
/// </summary>
/// <param name="time">Not the domain's clock: this is about real silos.</param>
public sealed class Keeper(
    ILocalSiloDetails silo, IMembershipTable table, IClusterMembershipService orleans, ReplicaServiceClient others, Database database, GrainOptions options, TimeProvider time,
    ILogger<Keeper> log) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>A read that hangs doesn't keep the next one from finding another connection.</summary>
    private const int MostReads = 3;

    private readonly long _began = time.GetTimestamp();
    private readonly Standing _standing = new();
    private readonly ConcurrentDictionary<SiloAddress, ConcurrentDictionary<ReplicaDrop, bool>> _owed = new();
    private readonly ConcurrentDictionary<SiloAddress, bool> _left = new();
    private int _reads;
    private int _version;
    private bool _cutOff;

    public SiloAddress Silo { get; } = silo.SiloAddress;

    public Holding Holding { get; } = new(silo.SiloAddress, options.ReplicaMemory);

    public Membership Membership { get; } = new(silo.SiloAddress);

    public TimeProvider Time => time;

    public TimeSpan Now => time.GetElapsedTime(_began);

    /// <summary>Something that prompts are made of was taken back.</summary>
    public event Action<ReplicaKey>? Dropped;

    /// <summary>Whatever was held may be old: a silo was lost, or this one was cut off.</summary>
    public event Action? Lost;

    /// <summary>
    /// How often this silo found itself in the membership again after it hadn't for too long, or met another database than before.
    /// Activations from before may have successors, or know what was never so.
    /// </summary>
    public int Lapses { get; private set; }

    public bool IsStanding => _standing.Holds(Now) || options.ServesWhenCutOff;

    /// <exception cref="StorageUnavailableException">This silo may have been voted out without knowing it.</exception>
    public void CheckStanding()
    {
        if (!IsStanding)
        {
            throw new StorageUnavailableException("This silo hasn't found itself in its cluster's membership for a while, so it can't say whether what it holds still holds.");
        }
    }

    /// <summary>If not, calls to the grains of a silo that isn't heard wait for as long as a call may.</summary>
    public bool HearsAll => !Others().Any(other => Holding.IsSilent(other, Now));

    /// <summary>This silo has others beside it and hears none of them.</summary>
    private bool IsAlone => Others().Any() && Others().All(other => Holding.IsSilent(other, Now));

    /// <summary>From the other silos or from the database.</summary>
    public bool IsCutOff => IsAlone || !IsStanding;

    /// <summary>
    /// Whether an activation that is loaded claims its row first: a silo that was lost may still have a commit under way. The load
    /// brought the version of the membership, since whoever placed the activation here may know of a loss before this silo does.
    /// </summary>
    public async Task<bool> MustClaim(int version)
    {
        if (version > _version)
        {
            await ReadMembership();
        }

        return Membership.IsAftermath(Now);
    }

    public void Drop(ReplicaDrop drop)
    {
        Holding.Drop(drop.Key, drop.By, drop.Below, Now);
        Dropped?.Invoke(drop.Key);
    }

    /// <summary>What another silo is to drop and hasn't said that it did; null if it can't be said.</summary>
    public ReplicaDrop[]? Owed(SiloAddress asking) =>
        !IsStanding ? null : _owed.TryGetValue(asking, out var owed) ? [.. owed.Keys] : [];

    public void Left(SiloAddress gone)
    {
        _left[gone] = true;
        Holding.Gone(gone);
    }

    /// <summary>Nobody holds it any more: all have said so, or were waited out.</summary>
    public Task TakeBack(ReplicaDrop drop, SiloAddress[] holders, bool isFirst) =>
        Task.WhenAll([.. holders.Select(holder => TakeBackFrom(holder, drop)), isFirst ? Settled() : Task.CompletedTask]);

    private bool HasEnded(SiloAddress holder) => _left.ContainsKey(holder) || (Membership.Dead.Contains(holder) && Unsettled <= TimeSpan.Zero);

    /// <summary>For how long what a silo that was lost just now held may still be read there.</summary>
    private TimeSpan Unsettled => options.ServesWhenCutOff ? TimeSpan.Zero : Membership.SettledAt - Now;

    /// <summary>What a silo that was lost just now may hold has ended.</summary>
    private async Task Settled()
    {
        // Looked at once: between two looks it may come to its end.
        while (Unsettled is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left, time);
        }
    }

    private async Task TakeBackFrom(SiloAddress holder, ReplicaDrop drop)
    {
        if (holder.Equals(Silo))
        {
            Drop(drop);
            return;
        }

        var until = Now + Times.Silence;
        var owed = _owed.GetOrAdd(holder, static _ => new());
        owed[drop] = true;
        try
        {
            while (Now < until && !HasEnded(holder))
            {
                try
                {
                    await others.On(holder).Drop(drop);
                    return;
                }
                catch (Exception e) when (e.MayPass())
                {
                    await Task.Delay(Times.Beat / 5, time);
                }
            }
        }
        finally
        {
            owed.TryRemove(drop, out _);
        }
    }

    /// <summary>It begins before there are grains and ends when there are none any more, and whoever comes first finds a silo that knows where it belongs.</summary>
    public void Participate(ISiloLifecycle lifecycle)
    {
        var over = new CancellationTokenSource();
        var beating = Task.CompletedTask;
        database.Replaced += MeetReplacement;
        lifecycle.Subscribe<Keeper>(ServiceLifecycleStage.RuntimeGrainServices, _ => Task.FromResult(beating = Beat(over.Token)), async _ =>
        {
            database.Replaced -= MeetReplacement;
            await over.CancelAsync();
            await beating;
            await Leave();
        });
        lifecycle.Subscribe<Keeper>(ServiceLifecycleStage.Active + 1, async _ =>
        {
            await ReadMembership();
            database.IsSilent = () => !IsStanding;
        }, _ =>
        {
            database.IsSilent = null;
            return Task.CompletedTask;
        });
    }

    private async Task Beat(CancellationToken over)
    {
        using var beat = new PeriodicTimer(Times.Beat, time);
        try
        {
            while (await beat.WaitForNextTickAsync(over))
            {
                // None waits for another: who doesn't answer must not hold up the rest.
                if (_reads < MostReads)
                {
                    _ = ReadMembership();
                }

                foreach (var other in Others().Where(other => !_left.ContainsKey(other)))
                {
                    _ = Ask(other);
                }

                Holding.Forget(Now);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task Leave()
    {
        _standing.End();
        await Task.WhenAll(Others().Select(async other =>
        {
            try
            {
                await others.On(other).Leave(Silo);
            }
            catch (Exception e) when (e.MayPass())
            {
                // It waits this silo out instead.
            }
        }));
    }

    private IEnumerable<SiloAddress> Others() => Membership.Active.Where(other => !other.Equals(Silo));

    private async Task ReadMembership()
    {
        Interlocked.Increment(ref _reads);
        var sentAt = Now;
        try
        {
            var rows = await table.ReadAllAsync(CancellationToken.None).WaitAsync(Times.Standing, time);
            // Orleans here learns of a loss as soon as this silo counts on being in the cluster.
            if (new MembershipVersion(rows.Version.Version) is var version && version > orleans.CurrentSnapshot.Version)
            {
                await orleans.Refresh(version).AsTask().WaitAsync(Times.Standing, time);
            }

            foreach (var gone in Saw(rows, sentAt))
            {
                Holding.Gone(gone);
                Lost?.Invoke();
            }
        }
        catch (Exception e) when (e.MayPass())
        {
            Tell(cutOff: true, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    /// <returns>Who left since the last time.</returns>
    private SiloAddress[] Saw(MembershipTableData rows, TimeSpan sentAt)
    {
        lock (Membership)
        {
            if (rows.Version.Version < _version)
            {
                return [];
            }

            _version = rows.Version.Version;
            var before = Membership.Active;
            if (Membership.Saw([.. rows.Members.Select(row => Of(row.Item1))], Now, time.GetUtcNow().UtcDateTime))
            {
                if (!_standing.Holds(Now) && !options.ServesWhenCutOff)
                {
                    Lapse();
                }

                _standing.Confirm(sentAt);
                Tell(cutOff: false);
            }

            return [.. before.Except(Membership.Active)];
        }
    }

    private void Lapse()
    {
        Lapses++;
        Holding.Lapse(Now);
    }

    private void MeetReplacement()
    {
        log.LogWarning("The database is another one than before, a restored backup it seems: all that was in memory is loaded anew");
        Lapse();
        Lost?.Invoke();
    }

    /// <summary>Said once, when the silo stops and when it begins again to answer.</summary>
    private void Tell(bool cutOff, string? why = null)
    {
        if (cutOff == _cutOff || (cutOff && IsStanding))
        {
            return;
        }

        _cutOff = cutOff;
        if (cutOff)
        {
            log.LogWarning("This silo can't read its cluster's membership, so it answers nothing from memory: {Reason}", why);
        }
        else
        {
            log.LogInformation("This silo belongs to its cluster again");
            Lost?.Invoke();
        }
    }

    private async Task Ask(SiloAddress other)
    {
        var sentAt = Now;
        try
        {
            if (await others.On(other).KeepAlive(Silo) is not { } owed)
            {
                return;
            }

            foreach (var drop in owed)
            {
                Drop(drop);
            }

            if (Holding.Heard(other, sentAt, Now))
            {
                Lost?.Invoke();
            }
        }
        catch (Exception e) when (e.MayPass())
        {
            // Its lease runs out if that goes on.
        }
    }

    private static Member Of(MembershipEntry entry) => new(
        entry.SiloAddress,
        entry.Status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping,
        entry.Status == SiloStatus.Dead,
        entry.SuspectTimes is null || entry.SuspectTimes.TrueForAll(vote => vote.Item1.Equals(entry.SiloAddress)),
        entry.IAmAliveTime);
}
