using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// One client, whatever it speaks. What is sent goes straight out while the client takes it; while a write waits, what
/// follows is queued, up to a bound. Past the bound the queue is dropped and the connection ended: nobody waits for a
/// client that doesn't read, and it loses nothing, because it resumes from the log.
///
/// What a subscription lacks when it comes is read in pages by one loop per connection, only as fast as the client takes
/// it: a long history never lies in memory.
/// </summary>
public abstract class EventConnection
{
    public const int MaxQueued = 1024 * 1024;
    public const int MaxStreams = 1000;
    private const int EnoughRoom = 128 * 1024;
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<Frame> _queue = new();
    private readonly Dictionary<string, Subscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly Queue<Subscription> _behind = new();
    private readonly Clock _time;
    private IDisposable? _online;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _idle;
    private CloseReason? _closing;
    private int _queued;
    private long _writingSince;
    private bool _writing;
    private bool _replaying;

    protected EventConnection(Acting acting, Clock time)
    {
        Acting = acting;
        _time = time;
    }

    /// <summary>For whom the streams are seen. Another caller after a token was renewed, never another user or tenant.</summary>
    public Acting Acting { get; protected set; }

    public int StreamCount
    {
        get
        {
            lock (_lock)
            {
                return _subscriptions.Count;
            }
        }
    }

    public bool IsClosing => Volatile.Read(ref _closing) is not null;

    public void Send(Frame frame)
    {
        lock (_lock)
        {
            if (_closing is not null)
            {
                return;
            }

            if (!_writing)
            {
                var written = Write(frame);
                if (written.IsCompletedSuccessfully)
                {
                    written.GetAwaiter().GetResult();
                }
                else
                {
                    _writing = true;
                    _writingSince = _time.GetTimestamp();
                    _ = WriteOn(written);
                }

                return;
            }

            _queue.Enqueue(frame);
            _queued += SizeOf(frame);
            if (_queued <= MaxQueued)
            {
                return;
            }
        }

        Close(CloseReason.Slow);
    }

    /// <summary>Ends the connection from this side: it is told why as soon as it takes anything, and cut after a grace.</summary>
    public void Close(CloseReason reason)
    {
        lock (_lock)
        {
            if (_closing is not null)
            {
                return;
            }

            _closing = reason;
            Empty();
        }

        // Callers may hold locks of relays.
        ThreadPool.QueueUserWorkItem(static state => _ = state.connection.Finish(state.reason), (connection: this, reason), preferLocal: false);
    }

    /// <summary>The client went away.</summary>
    public void Gone()
    {
        IDisposable? online;
        lock (_lock)
        {
            _closing ??= new CloseReason("gone", "");
            Empty();
            online = _online;
            _online = null;
        }

        online?.Dispose();
        LeaveAll();
    }

    /// <summary>Its user is online until it is gone.</summary>
    internal void Come(Presence presence)
    {
        if (Acting.User is { } user)
        {
            _online = presence.Come(Acting.Tenant, $"user:{user}", user);
        }
    }

    /// <summary>Ends a connection whose last write has not been taken for too long.</summary>
    internal void CloseIfStuck()
    {
        bool stuck;
        lock (_lock)
        {
            stuck = _writing && _time.GetElapsedTime(_writingSince) > StuckAfter;
        }

        if (stuck)
        {
            Close(CloseReason.Stuck);
        }
    }

    /// <returns>The subscription that this one takes the place of; false if the connection has as many as it may.</returns>
    internal bool Add(Subscription subscription, out Subscription? before)
    {
        lock (_lock)
        {
            _subscriptions.TryGetValue(subscription.Stream, out before);
            if (_closing is not null || (before is null && _subscriptions.Count >= MaxStreams))
            {
                return false;
            }

            _subscriptions[subscription.Stream] = subscription;
            return true;
        }
    }

    internal Subscription? Remove(string stream)
    {
        lock (_lock)
        {
            return _subscriptions.Remove(stream, out var subscription) ? subscription : null;
        }
    }

    internal void Forget(Subscription subscription)
    {
        lock (_lock)
        {
            if (_subscriptions.TryGetValue(subscription.Stream, out var current) && current == subscription)
            {
                _subscriptions.Remove(subscription.Stream);
            }
        }
    }

    /// <summary>Brings a subscription up to the head of its stream and makes it live: at once if the relay remembers what it lacks, else in pages.</summary>
    internal void CatchUp(Subscription subscription)
    {
        lock (_lock)
        {
            if (!_replaying && !_writing && _closing is null)
            {
                _replaying = true;
            }
            else
            {
                _behind.Enqueue(subscription);
                if (_replaying)
                {
                    return;
                }

                _replaying = true;
                subscription = null!;
            }
        }

        if (subscription is not null && !subscription.Relay.TryGoLive(subscription))
        {
            lock (_lock)
            {
                _behind.Enqueue(subscription);
            }
        }

        _ = Replay();
    }

    /// <summary>Writes to the transport. Completes when the transport has room again.</summary>
    protected abstract ValueTask Write(Frame frame);

    protected abstract int SizeOf(Frame frame);

    /// <summary>Tells the client why it ends.</summary>
    protected abstract ValueTask WriteReason(CloseReason reason);

    /// <summary>Ends the transport: after what was written, or, if the client takes nothing, whatever lies in it.</summary>
    protected abstract void End(bool taken);

    private async Task WriteOn(ValueTask written)
    {
        try
        {
            while (true)
            {
                await written;
                lock (_lock)
                {
                    if (_queued <= EnoughRoom)
                    {
                        _room?.TrySetResult();
                        _room = null;
                    }

                    if (!_queue.TryDequeue(out var next))
                    {
                        _writing = false;
                        _idle?.TrySetResult();
                        return;
                    }

                    _queued -= SizeOf(next);
                    _writingSince = _time.GetTimestamp();
                    written = Write(next);
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException or ObjectDisposedException)
        {
            // The transport is gone; its own side reports that.
            lock (_lock)
            {
                _writing = false;
                _closing ??= new CloseReason("gone", "");
                Empty();
                _idle?.TrySetResult();
            }
        }
    }

    private async Task Replay()
    {
        while (true)
        {
            Subscription? subscription;
            lock (_lock)
            {
                if (_closing is not null || !_behind.TryDequeue(out subscription))
                {
                    _behind.Clear();
                    _replaying = false;
                    return;
                }
            }

            await Room();
            if (subscription.Ended || subscription.Relay.TryGoLive(subscription))
            {
                continue;
            }

            try
            {
                if (await ((LogRelay)subscription.Relay).PageAfter(subscription.Cursor) is not { } page)
                {
                    Close(CloseReason.Pruned);
                    continue;
                }

                foreach (var batch in page.Batches)
                {
                    await Room();
                    subscription.Send(batch);
                }
            }
            catch (StorageUnavailableException)
            {
                await Task.Delay(RetryAfter, _time);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Close(CloseReason.Unverified);
                continue;
            }

            // Streams take turns by the page.
            lock (_lock)
            {
                _behind.Enqueue(subscription);
            }
        }
    }

    /// <summary>Waits until the client has taken most of what was sent.</summary>
    private Task Room()
    {
        lock (_lock)
        {
            if (_closing is not null || !_writing)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    private async Task Finish(CloseReason reason)
    {
        LeaveAll();
        Task idle;
        lock (_lock)
        {
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _writing ? _idle.Task : Task.CompletedTask;
        }

        var taken = false;
        try
        {
            await idle.WaitAsync(CloseGrace, _time);
            await WriteReason(reason).AsTask().WaitAsync(CloseGrace, _time);
            taken = true;
        }
        catch (Exception e) when (e is TimeoutException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // It took nothing; it will find out when it does.
        }

        End(taken);
    }

    private void LeaveAll()
    {
        Subscription[] subscriptions;
        lock (_lock)
        {
            subscriptions = [.. _subscriptions.Values];
            _subscriptions.Clear();
        }

        foreach (var subscription in subscriptions)
        {
            subscription.Relay.Leave(subscription);
        }
    }

    private void Empty()
    {
        _queue.Clear();
        _queued = 0;
        _room?.TrySetResult();
        _room = null;
    }
}
