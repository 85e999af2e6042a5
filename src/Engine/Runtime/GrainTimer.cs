using Microsoft.Extensions.Logging;

namespace PersonaActors.Engine;

/// <summary>
/// One shot of the clock at a time: the next is wound up when the callback has ended, so that callbacks of one timer
/// never meet. Its fields are touched from inside the activation only.
/// </summary>
internal sealed class GrainTimer : IGrainTimer
{
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainMethod _method;
    private readonly CancellationTokenSource _ended = new();
    private readonly ITimer _timer;
    private TimeSpan _due;
    private TimeSpan _period;
    private bool _changed;
    private bool _running;
    private bool _disposed;

    internal GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        Check(options.DueTime, options.Period);
        _activation = activation;
        _callback = callback;
        _method = activation.Kind.TimerMethod(options.Interleave, options.KeepAlive);
        _due = options.DueTime;
        _period = options.Period;
        using (ExecutionContext.IsFlowSuppressed() ? default(IDisposable) : ExecutionContext.SuppressFlow())
        {
            _timer = activation.Kind.Engine.Time.CreateTimer(static timer => ((GrainTimer)timer!).OnDue(), this,
                _due, Timeout.InfiniteTimeSpan);
        }
    }

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        Check(dueTime, period);
        (_due, _period, _changed) = (dueTime, period, true);
        if (!_running && !_disposed) _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
    }

    private static void Check(TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
        if (period != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.Zero);
    }

    /// <summary>On the clock's thread.</summary>
    private void OnDue() => _activation.Enqueue(new Tick(this));

    private async Task RunAsync()
    {
        if (_disposed) return;
        _running = true;
        _changed = false;
        try
        {
            await _callback(_ended.Token);
        }
        catch (Exception exception) when (!(_disposed && exception is OperationCanceledException))
        {
            _activation.Kind.Engine.Log.LogWarning(exception, "A timer's callback of a {Grain} grain failed", _activation.Kind.Name);
            throw;
        }
        catch (OperationCanceledException)
        {
            // Disposed of while it ran, and it took the hint.
        }
        finally
        {
            _running = false;
            if (!_disposed) _timer.Change(_changed ? _due : _period, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _timer.Dispose();
        _activation.RemoveTimer(this);
        _ended.Cancel();
        _ended.Dispose();
    }

    /// <summary>A turn that nobody waits for.</summary>
    private sealed class Tick(GrainTimer timer) : TaskCall(timer._method)
    {
        public override Task Invoke(object grain) => timer.RunAsync();
    }
}
