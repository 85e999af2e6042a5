using PersonaActors.Contracts.Events;
using PersonaActors.Grains;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// One derived stream in this process: while somebody listens it follows what the state is made of, and tells the newest
/// state whenever its version is another. Changes that come while it reads are told as one.
/// </summary>
internal sealed class DerivedRelay : StreamRelay
{
    /// <summary>A change that is under way is over by then, mostly.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    /// <summary>What is away may be back by then.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(300);

    private readonly Derivation _derivation;
    private readonly Guid _tenant;
    private readonly string _rest;
    private readonly List<Subscription> _live = [];
    private readonly IDisposable _followed;
    private DerivedState? _state;
    private bool _reading;
    private bool _changed;

    public DerivedRelay(EventPump pump, Guid tenant, string stream, StreamKind kind)
        : base(pump, tenant, stream, kind)
    {
        _derivation = kind.Derived!;
        _tenant = tenant;
        _rest = stream[(kind.Name.Length + 1)..];
        _followed = _derivation.Follow(tenant, _rest, Changed);
    }

    public bool MayMiss => _derivation.MayMiss;

    /// <summary>The newest state; read for the first who asks, followed from then on.</summary>
    public async ValueTask<DerivedState?> Current()
    {
        lock (Sync)
        {
            if (_state is { } known)
            {
                return known;
            }
        }

        var state = await Read();
        lock (Sync)
        {
            return _state ??= state;
        }
    }

    public override bool TryGoLive(Subscription subscription)
    {
        lock (Sync)
        {
            if (!subscription.Ended)
            {
                _live.Add(subscription);
                if (_state is { } state && state.Version != subscription.Version)
                {
                    subscription.Connection.Send(Batch(state));
                }
            }

            return true;
        }
    }

    protected override void Left(Subscription subscription) => _live.Remove(subscription);

    // Not under this relay's lock: who tells of a change may hold one of theirs, and takes ours then.
    protected override void Retired() => ThreadPool.QueueUserWorkItem(static followed => followed.Dispose(), _followed, preferLocal: false);

    /// <summary>What it follows may have moved: it reads, and tells if that is so.</summary>
    internal void Changed()
    {
        lock (Sync)
        {
            _changed = true;
            if (_reading)
            {
                return;
            }

            _reading = true;
        }

        Pump.ToRead.Writer.TryWrite(this);
    }

    /// <summary>Called by <see cref="DerivedReads"/>.</summary>
    internal async Task Tell()
    {
        while (true)
        {
            lock (Sync)
            {
                if (!_changed)
                {
                    _reading = false;
                    return;
                }

                _changed = false;
            }

            try
            {
                var state = await Read();
                if (state is null)
                {
                    await Recheck();
                    continue;
                }

                lock (Sync)
                {
                    if (state.Version != _state?.Version)
                    {
                        _state = state;
                        var batch = Batch(state);
                        foreach (var subscription in _live)
                        {
                            subscription.Connection.Send(batch);
                        }
                    }
                }
            }
            catch (Exception e) when (e.MayPass())
            {
                // Whoever came back would find no more than is known here: that it is to be read once more.
                _ = Again(Later);
            }
            catch (Exception e)
            {
                // Who listens must not believe an old state: they come back and get the newest.
                Pump.ReadFailed(Stream, e);
                Break(CloseReason.Unverified);
            }
        }
    }

    private async ValueTask<DerivedState?> Read()
    {
        var state = await _derivation.Read(_tenant, _rest);
        if (state is { IsSettled: false })
        {
            _ = Again(Soon);
        }

        return state;
    }

    private async Task Again(TimeSpan after)
    {
        await Task.Delay(after);
        Changed();
    }

    private EventBatch Batch(DerivedState state)
    {
        var at = Pump.Time.GetUtcNow();
        return new EventBatch([new StreamEvent(Stream, state.Version, 1, Guid.CreateVersion7(at), state.Type, at, state.Data)]);
    }
}
