namespace PersonaActors.Engine;

/// <summary>Something to run inside a <see cref="TurnQueue"/>.</summary>
internal abstract class Work
{
    /// <summary>The chain it hangs in; whoever has taken it out may use it for a chain of its own.</summary>
    internal Work? Next;

    /// <summary>Runs inside the queue and doesn't throw.</summary>
    internal abstract void Run(TurnQueue queue);
}

/// <summary>
/// One thread at a time. Whoever finds it empty may go in at once, on its own thread; everybody else leaves work behind,
/// which the thread pool takes up when the one inside has left. As a <see cref="SynchronizationContext"/> it brings
/// continuations back: what awaits inside, goes on inside.
/// </summary>
/// <remarks>
/// Who may go in is a number, not a reference: exchanging a reference makes the garbage collector look at the grain again,
/// and a node has grains by the ten thousand. Whoever leaves work first puts it into <c>_left</c> and then says so;
/// leaving it at an empty queue makes the leaver responsible for scheduling it, and nobody can go in before it has run.
/// Whoever takes first says that all is taken, so nothing that is said later is overlooked.
/// </remarks>
internal abstract class TurnQueue : SynchronizationContext, IThreadPoolWorkItem
{
    /// <summary>After so many pieces of work a queue goes to the end of the thread pool's line.</summary>
    private const int Batch = 64;

    private static readonly int Spins = Environment.ProcessorCount > 1 ? 10 : 0;

    /// <summary>Nobody is inside.</summary>
    private const int Empty = 0;

    /// <summary>Somebody is inside, or about to be.</summary>
    private const int Inside = 1;

    /// <summary>The same, and work may have been left since.</summary>
    private const int InsideAndLeft = 2;

    private int _state;

    /// <summary>The last piece of work that was left, chained back to the first.</summary>
    private Work? _left;

    /// <summary>Taken from <c>_left</c>, oldest first. Touched from inside only.</summary>
    private Work? _taken;

    /// <summary>
    /// Most turns are shorter than the way through the thread pool, so whoever finds somebody inside, and nothing left,
    /// waits a moment for that one to leave.
    /// </summary>
    protected bool TryEnter()
    {
        for (var tries = 0; ; tries++)
        {
            var state = Volatile.Read(ref _state);
            if (state == Empty && Interlocked.CompareExchange(ref _state, Inside, Empty) == Empty) return true;
            if (state == InsideAndLeft || tries == Spins) return false;
            Thread.SpinWait(10);
        }
    }

    /// <summary>Leaves; <paramref name="more"/> says that <see cref="Pulse"/> has something to do.</summary>
    protected void Leave(bool more)
    {
        if (!more && Interlocked.CompareExchange(ref _state, Empty, Inside) == Inside) return;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    /// <summary>Leaves, and has the thread pool go on with <paramref name="work"/>.</summary>
    protected void LeaveTo(Work work)
    {
        _taken = work;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    internal void Enqueue(Work work)
    {
        var last = Volatile.Read(ref _left);
        while (true)
        {
            work.Next = last;
            var seen = Interlocked.CompareExchange(ref _left, work, last);
            if (seen == last) break;
            last = seen;
        }
        if (Interlocked.Exchange(ref _state, InsideAndLeft) == Empty) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    /// <summary>Between any two pieces of work, inside: start what may start now.</summary>
    protected abstract void Pulse();

    void IThreadPoolWorkItem.Execute()
    {
        SetSynchronizationContext(this);
        try
        {
            Pulse();
            for (var left = Batch; left > 0; left--)
            {
                if (!Take()) return;
                var work = _taken!;
                _taken = work.Next;
                work.Next = null;
                work.Run(this);
                Pulse();
            }
        }
        finally
        {
            SetSynchronizationContext(null);
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Sees to it that <c>_taken</c> has something. False: there was nothing, and this thread is no longer inside.</summary>
    private bool Take()
    {
        while (_taken is null)
        {
            if (Interlocked.CompareExchange(ref _state, Empty, Inside) == Inside) return false;
            Interlocked.Exchange(ref _state, Inside);
            for (var work = Interlocked.Exchange(ref _left, null); work is not null;)
            {
                var older = work.Next;
                work.Next = _taken;
                _taken = work;
                work = older;
            }
        }
        return true;
    }

    public override void Post(SendOrPostCallback d, object? state) => Enqueue(new Continuation(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Current != this) throw new NotSupportedException("A grain's turn can't be entered from outside and waited for.");
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;

    private sealed class Continuation(SendOrPostCallback callback, object? state) : Work
    {
        internal override void Run(TurnQueue queue) => callback(state);
    }
}
