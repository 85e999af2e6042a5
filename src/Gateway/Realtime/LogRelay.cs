using System.Collections.Concurrent;
using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// One stored stream in this process. Events arrive from the grain that committed them, or as hints from other processes;
/// numbers are dense, so what is missing is seen and read from the log. Whatever order things arrive in, subscribers get
/// number after number.
///
/// The relay has a head, the number up to which it has told everything. A subscription that is at the head is live; one
/// behind it catches up from the relay's short memory or from pages of the log. Pages begin at fixed numbers and are read
/// once for all who want them in the same seconds: two thousand clients that come back cost the reads of one.
/// </summary>
internal sealed class LogRelay(EventPump pump, Guid? tenant, string stream, StreamKind kind, EventLog log)
    : StreamRelay(pump, tenant, stream, kind), IThreadPoolWorkItem
{
    private const int PageSize = 256;
    private const int MaxPages = 4;
    private const int MaxRemembered = 256;
    private const int MaxRememberedWeight = 256 * 1024;
    private const int MaxInbox = 4096;

    private readonly ConcurrentQueue<StreamEvent> _inbox = new();
    private readonly List<StreamEvent> _run = [];
    private readonly Queue<EventBatch> _remembered = new();
    private readonly Dictionary<long, Task<Page>> _pages = [];
    private readonly List<Subscription> _live = [];
    private Task<bool>? _opening;
    private int _rememberedCount;
    private int _rememberedWeight;
    private int _runWeight;
    private int _scheduled;
    private bool _open;
    private bool _filling;
    private bool _checkingAccess;
    private long _head;
    private long _known;
    private long _oldest = 1;

    internal sealed record Page(IReadOnlyList<EventBatch> Batches, long Newest, long Oldest)
    {
        public long Last => Batches.Count > 0 ? Batches[^1].Last : 0;

        /// <summary>Whether the event with this number is on the page.</summary>
        public bool Has(long seq) => Batches.Count > 0 && Batches[0].First <= seq && seq <= Last;
    }

    public string Epoch { get; private set; } = "";

    public bool IsOpen
    {
        get
        {
            lock (Sync)
            {
                return _open;
            }
        }
    }

    public long Head
    {
        get
        {
            lock (Sync)
            {
                return _head;
            }
        }
    }

    public long Oldest
    {
        get
        {
            lock (Sync)
            {
                return _oldest;
            }
        }
    }

    /// <summary>Finds out where the stream stands, once for all who come meanwhile. The relay is already listening, so nothing is missed.</summary>
    public Task Open(long? after)
    {
        lock (Sync)
        {
            if (_open)
            {
                return Task.CompletedTask;
            }

            if (_opening is null or { IsCompleted: true })
            {
                _opening = ReadPosition(after);
            }

            return _opening;
        }
    }

    private async Task<bool> ReadPosition(long? after)
    {
        // Before the position: were the database restored in between, the old epoch would be found wrong later.
        var epoch = Pump.Epoch;
        long newest, oldest;
        if (after is { } wanted)
        {
            var page = await ReadPage(PageOf(wanted));
            (newest, oldest) = (page.Newest, page.Oldest);
        }
        else
        {
            Pump.CountRead();
            var position = await log.Position(Tenant, Stream, CancellationToken.None);
            (newest, oldest) = (position.Newest, position.Oldest);
        }

        lock (Sync)
        {
            Epoch = epoch;
            _head = newest;
            _known = Math.Max(_known, newest);
            _oldest = oldest;
            _open = true;
        }

        Schedule();
        return true;
    }

    /// <summary>Only notes the event: whoever hands it over has more to hand over.</summary>
    public void Post(StreamEvent e)
    {
        _inbox.Enqueue(e);
        Schedule();
    }

    /// <summary>An event without a number: who listens now gets it, between others as it comes, and nobody later.</summary>
    public void Pass(StreamEvent e)
    {
        var frame = new PassingEvent(e);
        lock (Sync)
        {
            foreach (var subscription in _checkingAccess ? [] : _live)
            {
                subscription.Connection.Send(frame);
            }
        }
    }

    /// <summary>Somebody says that the stream goes up to this number.</summary>
    public void Hint(long seq)
    {
        lock (Sync)
        {
            if (seq <= _known)
            {
                return;
            }

            _known = seq;
        }

        Schedule();
    }

    /// <summary>What the periodic check found in the log.</summary>
    /// <param name="toldBefore">The head as it was before the log was asked: events that were told since may be missing in the answer.</param>
    public void Check(StreamPosition position, long toldBefore)
    {
        bool restored;
        lock (Sync)
        {
            restored = position.Newest < toldBefore;
            _oldest = Math.Max(_oldest, position.Oldest);
            // Old pages go; who still reads them reads them again.
            _pages.Clear();
        }

        if (restored)
        {
            // Also what is left after a user's erasure; whoever comes back is answered as the stream is then.
            Break(CloseReason.EpochChanged);
            Pump.Drop(this);
        }
        else
        {
            Hint(position.Newest);
            Schedule();
        }
    }

    public void EpochChanged() => Break(CloseReason.EpochChanged);

    /// <summary>Asks the log for a cursor that lies ahead of what this process has heard.</summary>
    public async Task CatchUpWithLog(long wanted)
    {
        var page = await ReadPage(PageOf(wanted));
        Hint(page.Newest);
        lock (Sync)
        {
            _oldest = Math.Max(_oldest, page.Oldest);
        }
    }

    /// <summary>Whether what follows a number can be told without reading.</summary>
    public bool Remembers(long after)
    {
        lock (Sync)
        {
            return after >= _head || (_remembered.Count > 0 && _remembered.Peek().First <= after + 1);
        }
    }

    /// <summary>Whether the log goes up to that number, as far as is known here.</summary>
    public bool Reaches(long seq)
    {
        lock (Sync)
        {
            return seq <= _known;
        }
    }

    /// <summary>Makes a subscription live if what it lacks is remembered here. Under the lock, so that nothing comes between.</summary>
    public override bool TryGoLive(Subscription subscription)
    {
        lock (Sync)
        {
            if (subscription.Ended)
            {
                return true;
            }

            if (subscription.Cursor < _head)
            {
                if (_remembered.Count == 0 || _remembered.Peek().First > subscription.Cursor + 1)
                {
                    return false;
                }

                foreach (var batch in _remembered)
                {
                    subscription.Send(batch);
                }
            }

            _live.Add(subscription);
            return true;
        }
    }

    /// <summary>The page of the log on which the event after this number is; none if it was pruned or never was.</summary>
    public async ValueTask<Page?> PageAfter(long seq)
    {
        var number = PageOf(seq);
        Task<Page>? known;
        lock (Sync)
        {
            _pages.TryGetValue(number, out known);
        }

        if (known is not null)
        {
            try
            {
                if (await known is var found && found.Has(seq + 1))
                {
                    return found;
                }
            }
            catch (StorageUnavailableException)
            {
                // Whoever read it is told; this one tries itself.
            }
        }

        // It was read before the event that is wanted; read it again, still once for all.
        var page = await ReadPage(number, known);
        return page.Has(seq + 1) ? page : null;
    }

    public void Execute()
    {
        Interlocked.Exchange(ref _scheduled, 0);
        lock (Sync)
        {
            Drain();
        }
    }

    protected override void Left(Subscription subscription)
    {
        // Order among the live ones says nothing.
        var index = _live.IndexOf(subscription);
        if (index >= 0)
        {
            _live[index] = _live[^1];
            _live.RemoveAt(_live.Count - 1);
        }
    }

    protected override void Retired()
    {
        ForgetAll();
        _pages.Clear();
    }

    private void ForgetAll()
    {
        _remembered.Clear();
        _rememberedCount = 0;
        _rememberedWeight = 0;
    }

    private static long PageOf(long after) => after / PageSize;

    private void Schedule()
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Drain()
    {
        if (!_open || _checkingAccess)
        {
            // It runs again afterwards. Should much come meanwhile, the log has it.
            while (_inbox.Count > MaxInbox && _inbox.TryDequeue(out var early))
            {
                _known = Math.Max(_known, early.Seq);
            }

            return;
        }

        while (_inbox.TryDequeue(out var e))
        {
            if (e.Epoch != Epoch)
            {
                Pump.CheckSoon();
            }
            else if (!Take(e))
            {
                return;
            }
        }

        Flush();
        if (_known > _head && !_filling)
        {
            _filling = true;
            _ = Fill();
        }
    }

    /// <returns>False if the stream must wait, because subscribers may have lost it with this event.</returns>
    private bool Take(StreamEvent e)
    {
        _known = Math.Max(_known, e.Seq);
        if (e.Seq != _head + 1)
        {
            // Known already, or ahead of a hole: then it is read with what is missing.
            return true;
        }

        _head = e.Seq;
        _run.Add(e);
        _runWeight += EventBatch.WeightOf(e);
        if (Kind.ChangesAccess?.Invoke(e.Type) is true)
        {
            Flush();
            _checkingAccess = true;
            _ = RecheckThenGoOn();
            return false;
        }

        if (_run.Count == EventBatch.MaxEvents || _runWeight >= EventBatch.MaxWeight)
        {
            Flush();
        }

        return true;
    }

    private void Flush()
    {
        if (_run.Count == 0)
        {
            return;
        }

        var batch = new EventBatch([.. _run]);
        _run.Clear();
        _runWeight = 0;
        _remembered.Enqueue(batch);
        _rememberedCount += (int)(batch.Last - batch.First) + 1;
        _rememberedWeight += batch.Weight;
        while (_rememberedCount > MaxRemembered || _rememberedWeight > MaxRememberedWeight)
        {
            var forgotten = _remembered.Dequeue();
            _rememberedCount -= (int)(forgotten.Last - forgotten.First) + 1;
            _rememberedWeight -= forgotten.Weight;
        }

        foreach (var subscription in _live)
        {
            subscription.Send(batch);
        }
    }

    /// <summary>Reads what is missing, until the head has reached what is known. One at a time.</summary>
    private async Task Fill()
    {
        try
        {
            while (true)
            {
                long after;
                lock (Sync)
                {
                    if (_known <= _head || _checkingAccess)
                    {
                        _filling = false;
                        return;
                    }

                    after = _head;
                }

                Pump.CountRead();
                var page = await log.After(Tenant, Stream, after, CancellationToken.None, PageSize);
                lock (Sync)
                {
                    _oldest = page.Oldest;
                    foreach (var e in page.Events)
                    {
                        if (!Take(e))
                        {
                            break;
                        }
                    }

                    Flush();
                    if (_head == after)
                    {
                        if (page.Events.Count > 0)
                        {
                            // Pruned beyond what was told: only a reset helps those who listen, and they get it when they resume.
                            _head = page.Events[0].Seq - 1;
                            ForgetAll();
                            ThreadPool.QueueUserWorkItem(static relay => relay.Break(CloseReason.Pruned), this, preferLocal: false);
                        }
                        else
                        {
                            // Announced, but not in the log: nothing to wait for.
                            _known = _head;
                        }
                    }
                }
            }
        }
        catch (Exception e)
        {
            // The periodic check comes back to it.
            Pump.ReadFailed(Stream, e);
            lock (Sync)
            {
                _filling = false;
            }
        }
    }

    private async Task RecheckThenGoOn()
    {
        await Safely(static relay => relay.Recheck());
        lock (Sync)
        {
            _checkingAccess = false;
        }

        Schedule();
    }

    private Task<Page> ReadPage(long number, Task<Page>? inPlaceOf = null)
    {
        lock (Sync)
        {
            if (_pages.TryGetValue(number, out var running) && running != inPlaceOf)
            {
                return running;
            }

            if (_pages.Count >= MaxPages)
            {
                _pages.Clear();
            }

            return _pages[number] = Read(number);
        }
    }

    private async Task<Page> Read(long number)
    {
        Pump.CountRead();
        var page = await log.After(Tenant, Stream, number * PageSize, CancellationToken.None, PageSize);
        lock (Sync)
        {
            _oldest = Math.Max(_oldest, page.Oldest);
        }

        var events = page.Events;
        if (events.Count > 0 && events[^1].Seq > (number + 1) * PageSize)
        {
            // Some were pruned, and the page reaches into the next.
            events = [.. events.Where(e => e.Seq <= (number + 1) * PageSize)];
        }

        return new Page([.. EventBatch.Cut(events)], page.Newest, page.Oldest);
    }
}
