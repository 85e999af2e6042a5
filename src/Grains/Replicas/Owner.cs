using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Replicas;

/// <summary>Makes each grain the owner of what its key names.</summary>
public sealed class Owners(Keeper keeper, EventFeed feed, IGrainContextAccessor activation)
{
    /// <param name="stream">That tells what happens to it; none where nobody tells.</param>
    /// <param name="version">Of what the grain has in memory.</param>
    /// <param name="leave">What the grain does when another writer was first: it passes DeactivateOnIdle.</param>
    public Owner Of(ReplicaKey key, string stream, Func<long> version, Action leave)
    {
        var owner = new Owner(keeper, feed, key, stream, version, leave);
        // Whatever is asked of the grain asks the owner first (OutageFilter), and no grain has to remember that.
        activation.GrainContext.SetComponent(owner);
        return owner;
    }
}

/// <summary>
/// A grain's view and its changes (the protocol is <see cref="Holding"/>'s). Before it commits, all replicas are taken back;
/// memory follows the commit and never runs ahead of it; only what memory shows is announced.
/// </summary>
public sealed class Owner(Keeper keeper, EventFeed feed, ReplicaKey key, string stream, Func<long> version, Action leave)
{
    private readonly Granting _granting = new();
    private readonly Guid _activation = Guid.NewGuid();
    private readonly int _lapses = keeper.Lapses;

    /// <summary>Set from when a commit is sent until memory is what was committed.</summary>
    private TaskCompletionSource? _committing;

    /// <summary>The same, while it is somebody else who commits.</summary>
    private TaskCompletionSource? _yielded;

    /// <summary>Whoever it yields to commits well before, or not at all.</summary>
    internal static readonly TimeSpan YieldsFor = TimeSpan.FromSeconds(10);

    /// <summary>Another writer was first, or nobody knows what is committed, or the activation ends: this one speaks no more.</summary>
    private bool _isOver;

    /// <summary>Set when the grain is loaded, named by all that it commits.</summary>
    public OwnerEpoch Epoch { get; } = new(stream, keeper.MustClaim);

    /// <summary>
    /// The view, for a silo that asks for it; noted, unless a change is under way. While a commit is it waits: a successor may
    /// have answered what it brings. Interleaves with the grain's turns.
    /// </summary>
    public async ValueTask<Granted<T>> Grant<T>(SiloAddress holder, Func<T?> view)
        where T : class
    {
        while (_committing is { } committing)
        {
            await committing.Task;
        }

        keeper.CheckStanding();
        ThrowIfOver();
        var now = view();
        // What isn't there isn't kept: names are cheap to make up.
        return new Granted<T>(now, version(), _activation, keeper.Silo, now is not null && _granting.Grant(holder), _granting.Ended);
    }

    /// <param name="assign">Takes the new state into memory, given the events with their numbers.</param>
    /// <param name="between">What has to be done before anybody sees the new state; it is seen also if this fails.</param>
    public async Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, Action<IReadOnlyList<StreamEvent>> assign, Func<Task>? between = null)
    {
        IReadOnlyList<StreamEvent> events;
        if (_yielded is { } yielded)
        {
            await yielded.Task;
            ThrowIfOver();
        }

        await TakeBack(_granting.IsFirstChange && key.Kind is not (ReplicaKind.Companion or ReplicaKind.Job));
        var committing = _committing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            keeper.CheckStanding();
            ThrowIfOver();
            events = await batch.Commit(Over);
            try
            {
                if (between is not null)
                {
                    await between();
                }
            }
            finally
            {
                assign(events);
            }
        }
        finally
        {
            _granting.End();
            _committing = null;
            committing.SetResult();
        }

        feed.Announce(key.Tenant == TenantKey.System.Tenant ? null : key.Tenant, events);
        return events;
    }

    /// <summary>Nothing is to do. An id that the client gave is kept all the same: repeated later, when there would be, it still does nothing.</summary>
    /// <param name="batch">A fresh one, in which the answer would have been stored with a change.</param>
    public async Task<Outcome<T>> Unchanged<T>(ScopedBatch batch, Command command, Guid? owner, Outcome<T> outcome, DateTimeOffset at)
        where T : class
    {
        if (command.IsNamed)
        {
            keeper.CheckStanding();
            ThrowIfOver();
            await batch.Answer(command, owner, outcome, at).Commit(Over);
        }

        return outcome;
    }

    /// <summary>
    /// Somebody else is about to commit rows of the owner's: nobody holds a replica, nothing is answered and nothing committed
    /// until that is over (<see cref="Resume"/>), and then this activation ends. Who doesn't come back is not waited for long.
    /// </summary>
    public async Task Yield()
    {
        while (_committing is { } committing)
        {
            await committing.Task;
        }

        var yielding = _committing = _yielded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await TakeBack(_granting.IsFirstChange);
        }
        catch
        {
            Resume();
            throw;
        }

        _ = ResumeInTime(yielding.Task);
    }

    private async Task ResumeInTime(Task resumed)
    {
        try
        {
            await resumed.WaitAsync(YieldsFor, keeper.Time);
        }
        catch (TimeoutException)
        {
            Resume();
        }
    }

    public void Resume()
    {
        if (_yielded is not { } yielded)
        {
            return;
        }

        Over();
        _granting.End();
        (_committing, _yielded) = (null, null);
        yielded.TrySetResult();
    }

    /// <summary>Rows of the owner's that another wrote: what is in memory becomes what <paramref name="read"/> finds.</summary>
    public async Task Change(Func<Task> read)
    {
        await TakeBack(_granting.IsFirstChange);
        try
        {
            await read();
        }
        finally
        {
            _granting.End();
        }
    }

    /// <summary>The activation ends: its replicas don't outlive it. Whoever doesn't answer hears of the next one's first change.</summary>
    public Task Leave()
    {
        _isOver = true;
        return TakeBack(isFirst: false);
    }

    private async Task TakeBack(bool isFirst)
    {
        var holders = _granting.Begin(isFirst ? keeper.Membership.Active : []);
        try
        {
            await keeper.TakeBack(new ReplicaDrop(key, _activation, version() + 1), holders, isFirst);
            _granting.TakenBack();
        }
        catch
        {
            _granting.End();
            throw;
        }
    }

    private void Over()
    {
        _isOver = true;
        leave();
    }

    /// <exception cref="ActivationOutdatedException">What this activation has in memory may be what another one has changed.</exception>
    public void ThrowIfOver()
    {
        ThrowIfLapsed();
        if (_isOver)
        {
            throw Outdated();
        }
    }

    /// <summary>While the silo was away the directory may have lost this activation, and another one may speak; or its database was replaced.</summary>
    /// <exception cref="ActivationOutdatedException">What this activation has in memory is from before.</exception>
    public void ThrowIfLapsed()
    {
        if (_lapses != keeper.Lapses)
        {
            Over();
            throw Outdated();
        }
    }

    private static ActivationOutdatedException Outdated() => new("This activation ends; the next one answers.");
}
