using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Engine;

/// <summary>
/// Delivers reminders when they are due. It holds in memory what is under way and nothing else: with a hundred thousand
/// reminders stored, it asks the index for those that are due, and for when to ask again.
/// </summary>
/// <remarks>
/// A tick is settled in the table after its grain has answered, well or not; a process that dies in between delivers it
/// again. Ticks that were due while nothing ran come as one.
/// </remarks>
internal sealed class ReminderWaker(GrainEngine engine, Reminders reminders) : IDisposable
{
    private const int MostUnderWay = 1000;

    /// <summary>Another process may have put a reminder in the table; and a database that was away comes back.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(string Grain, string Key, string Name), DueReminder> _underWay = [];
    private readonly ConcurrentQueue<(DueReminder Reminder, bool Delivered)> _answered = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<DueReminder> _unsettled = [];
    private TaskCompletionSource _signal = NewSignal();
    private ITimer? _alarm;
    private Task _loop = Task.CompletedTask;
    private long _nextDue;
    private bool _wasAway;

    internal void Start()
    {
        if (!engine.Database.IsConfigured) return;
        _alarm = engine.Time.CreateTimer(static waker => ((ReminderWaker)waker!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        reminders.Registered += OnRegistered;
        _loop = Task.Run(LoopAsync);
    }

    internal async Task StopAsync()
    {
        reminders.Registered -= OnRegistered;
        await _stopping.CancelAsync().ConfigureAwait(false);
        Wake();
        await _loop.ConfigureAwait(false);
        if (_alarm is not null) await _alarm.DisposeAsync().ConfigureAwait(false);
    }

    public void Dispose() => _stopping.Dispose();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Wake() => Volatile.Read(ref _signal).TrySetResult();

    private void OnRegistered(DateTimeOffset due)
    {
        if (due.UtcTicks < Volatile.Read(ref _nextDue))
        {
            Volatile.Write(ref _nextDue, due.UtcTicks);
            Wake();
        }
    }

    private async Task LoopAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var pause = LongestPause;
            try
            {
                if (engine.Database.IsOurs) pause = await RoundAsync(_stopping.Token).ConfigureAwait(false);
                if (_wasAway) engine.Log.LogWarning("Reminders are delivered again");
                _wasAway = false;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (EngineDatabase.IsAway(exception))
            {
                if (!_wasAway) engine.Log.LogWarning(exception, "Reminders can't be read; trying again until they can");
                _wasAway = true;
            }
            if (pause <= TimeSpan.Zero) continue;
            _alarm!.Change(pause, Timeout.InfiniteTimeSpan);
            await _signal.Task.ConfigureAwait(false);
            // Whatever was signalled up to here is seen by the next round.
            Volatile.Write(ref _signal, NewSignal());
        }
    }

    /// <summary>How long nothing will happen, unless it is signalled.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken).ConfigureAwait(false);

        var now = engine.Time.GetUtcNow();
        if (now.UtcTicks < Volatile.Read(ref _nextDue)) return Until(now);
        // Not for each that ends: reading on costs a walk past those under way.
        if (_underWay.Count > MostUnderWay * 3 / 4) return LongestPause;

        // Those under way are still due in the table: ask for so many more.
        var limit = MostUnderWay + _underWay.Count;
        // What is registered from here on may be due earlier than what is read here.
        Volatile.Write(ref _nextDue, long.MaxValue);
        var (due, next) = await reminders.ReadDueAsync(now, limit, cancellationToken).ConfigureAwait(false);
        var more = due.Count == limit;
        var nextDue = Math.Min(more ? 0 : next?.UtcTicks ?? long.MaxValue, (now + LongestPause).UtcTicks);
        for (var seen = Volatile.Read(ref _nextDue); nextDue < seen;)
        {
            var before = Interlocked.CompareExchange(ref _nextDue, nextDue, seen);
            if (before == seen) break;
            seen = before;
        }
        foreach (var reminder in due)
        {
            if (!_underWay.TryAdd((reminder.Grain, reminder.Key, reminder.Name), reminder)) continue;
            _ = DeliverAsync(reminder);
            if (_underWay.Count < MostUnderWay) continue;
            Volatile.Write(ref _nextDue, 0);
            return LongestPause;
        }
        return Until(engine.Time.GetUtcNow());
    }

    private TimeSpan Until(DateTimeOffset now)
    {
        var ticks = Volatile.Read(ref _nextDue) - now.UtcTicks;
        // A timer is as fine as a millisecond: rounded up, so that it never rings before its time.
        return ticks >= LongestPause.Ticks ? LongestPause : TimeSpan.FromMilliseconds(Math.Ceiling(ticks / (double)TimeSpan.TicksPerMillisecond));
    }

    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        while (_answered.TryDequeue(out var answered))
        {
            if (answered.Delivered) _unsettled.Add(answered.Reminder);
            else Forget(answered.Reminder);
        }
        if (_unsettled.Count == 0) return;
        await reminders.SettleAsync(_unsettled, cancellationToken).ConfigureAwait(false);
        foreach (var reminder in _unsettled) Forget(reminder);
        _unsettled.Clear();
    }

    private void Forget(DueReminder reminder) => _underWay.Remove((reminder.Grain, reminder.Key, reminder.Name));

    private async Task DeliverAsync(DueReminder reminder)
    {
        var delivered = true;
        try
        {
            var now = engine.Time.GetUtcNow();
            EngineTelemetry.ReminderLateness.Record((now - reminder.Due).TotalSeconds);
            var status = new TickStatus(reminder.First.UtcDateTime, reminder.Period, now.UtcDateTime);
            await engine.Remindable(reminder.Grain, reminder.Key).ReceiveReminder(reminder.Name, status).ConfigureAwait(false);
        }
        catch (SiloUnavailableException)
        {
            // It never came: the next process delivers it.
            delivered = false;
        }
#pragma warning disable CA1031 // The grain's failure is its own; its next tick comes all the same.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.Log.LogWarning(exception, "A {Grain} grain failed on its reminder {Reminder}", reminder.Grain, reminder.Name);
        }
        _answered.Enqueue((reminder, delivered));
        Wake();
    }
}
