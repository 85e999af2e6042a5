using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Engine;

/// <summary>
/// One grain in memory. All that follows, its state included, is touched from inside its <see cref="TurnQueue"/> only,
/// except where it says otherwise.
/// </summary>
/// <remarks>
/// A call holds the grain from its start to its end, across awaits, and others wait in <c>_waiting</c>; between the
/// awaits of one, those that may interleave get their turns. Deactivation waits for what runs, starts nothing more, and
/// sends what still waits to the key's next activation, which can't exist before this one has left the directory.
/// </remarks>
internal sealed class Activation(GrainKind kind, string key) : TurnQueue, IGrainContext
{
    /// <summary>How many grains may call each other on one stack before a call takes the way through the thread pool.</summary>
    private const int DeepestInline = 12;

    private enum Stage { New, Activating, Active, Deactivating, Ending, Gone }

    [ThreadStatic]
    private static int _depth;

    private volatile Stage _stage;
    private Grain? _grain;
    private AsyncServiceScope _scope;
    private DeactivationReason _reason;

    private List<GrainTimer>? _timers;

    private int _writing;
    private int _reading;
    private int _interleaving;

    private Call? _firstWaiting;
    private Call? _lastWaiting;
    private int _waitingCount;
    private int _waitingInterleaving;
    private int _waitingReading;
    /// <summary>A call has ended, so another may start.</summary>
    private bool _freed;
    private long _lastUsed = kind.Engine.Now;
    private long _stayUntil;

    internal string Key { get; } = key;

    internal GrainKind Kind { get; } = kind;

    internal GrainEngine Factory => Kind.Engine;

    public object? GrainInstance => _grain;

    public IServiceProvider ActivationServices => _scope.ServiceProvider;

    /// <summary>Read from anywhere: once true it stays true.</summary>
    internal bool IsGone => _stage == Stage.Gone;

    /// <summary>Read from anywhere, so only roughly right.</summary>
    internal int WaitingCount => Volatile.Read(ref _waitingCount);

    private bool IsIdle => _writing + _reading + _interleaving == 0 && _firstWaiting is null;

    private bool HasToDo => _freed && _firstWaiting is not null || _stage == Stage.Deactivating;

    // ---- Calls

    /// <summary>
    /// Called from anywhere. When nobody is inside and the call may start, it starts on the caller's thread; if it also
    /// ends there, its own task is the answer, and nothing has been queued, scheduled or allocated for it.
    /// </summary>
    internal Task Send(Call call)
    {
        if (_depth < DeepestInline && Kind.Engine.IsOpen && TryEnter())
        {
            if (_stage == Stage.Active && MayStart(call.Method)) return SendInside(call);
            var promised = Promise(call);
            if (_stage is Stage.New or Stage.Gone)
            {
                LeaveTo(call);
            }
            else
            {
                Wait(call);
                Leave(more: false);
            }
            return promised;
        }
        var answer = Promise(call);
        Enqueue(call);
        return answer;
    }

    private Task SendInside(Call call)
    {
        var callers = Current;
        SetSynchronizationContext(this);
        _depth++;
        var running = Invoke(call);
        if (running.IsCompleted)
        {
            Ended(call, running);
        }
        else
        {
            var promised = Promise(call);
            call.Answer!.Await(this, running);
            running = promised;
        }
        _depth--;
        SetSynchronizationContext(callers);
        Leave(more: HasToDo);
        return running;
    }

    /// <summary>Only for a call that nobody has started: it gets its deadline here.</summary>
    private Task Promise(Call call)
    {
        var answer = call.NewAnswer();
        call.Answer = answer;
        answer.Deadline = Kind.Engine.Time.GetTimestamp() + call.Method.TimeoutTicks;
        Kind.Engine.Pending.Add(answer);
        answer.CancelWith(call.Token);
        return answer.Task;
    }

    internal void Receive(Call call)
    {
        switch (_stage)
        {
            case Stage.Active when MayStart(call.Method):
                Start(call);
                break;
            case Stage.Gone:
                Forward(call);
                break;
            case Stage.New:
                Wait(call);
                _stage = Stage.Activating;
                _ = ActivateAsync();
                break;
            default:
                Wait(call);
                break;
        }
    }

    protected override void Pulse()
    {
        if (_stage == Stage.Active)
        {
            if (_freed && _firstWaiting is not null) StartWaiting();
            if (!Kind.Engine.IsOpen && IsIdle) Go(GrainEngine.ShuttingDown);
        }
        if (_stage == Stage.Deactivating && _writing + _reading + _interleaving == 0)
        {
            _stage = Stage.Ending;
            _ = DeactivateAsync();
        }
    }

    private bool MayStart(GrainMethod method)
    {
        if (method.Interleaves) return true;
        return _writing == 0 && (method.ReadsOnly || _reading == 0 && _firstWaiting is null);
    }

    /// <summary>
    /// Starts, in line's order, whatever may start. A line of thousands is not walked through for nothing: only after a
    /// call has ended, and no further than somebody in it could start.
    /// </summary>
    private void StartWaiting()
    {
        _freed = false;
        Call? before = null;
        for (var call = _firstWaiting; call is not null && _stage == Stage.Active;)
        {
            if (_waitingInterleaving == 0 && (_writing > 0 || _reading > 0 && _waitingReading == 0)) break;
            var next = (Call?)call.Next;
            var method = call.Method;
            if (method.Interleaves || _writing == 0 && (method.ReadsOnly || _reading == 0))
            {
                if (before is null) _firstWaiting = next;
                else before.Next = next;
                if (next is null) _lastWaiting = before;
                call.Next = null;
                Count(method, -1);
                Start(call);
            }
            else
            {
                before = call;
            }
            call = next;
        }
    }

    private void Start(Call call)
    {
        var answer = call.Answer;
        // Timed out or cancelled while it waited: its caller has gone, so it never begins.
        if (answer is { Task.IsCompleted: true }) return;
        var running = answer?.Begin(this) ?? Invoke(call);
        if (running.IsCompleted) Ended(call, running);
        else if (answer is not null) answer.Await(this, running);
        else running.GetAwaiter().UnsafeOnCompleted(() => Ended(call, running));
    }

    /// <summary>The first, synchronous part of a call.</summary>
    internal Task Invoke(Call call)
    {
        var method = call.Method;
        if (method.Interleaves) _interleaving++;
        else if (method.ReadsOnly) _reading++;
        else _writing++;
        if (method.CountsAsUse) _lastUsed = Kind.Engine.Now;
        if (EngineTelemetry.TurnTime.Enabled) call.Started = Kind.Engine.Time.GetTimestamp();
        try
        {
            return call.Begin(_grain!)
                ?? call.Throw(new InvalidOperationException($"{method} returned null instead of a task."));
        }
#pragma warning disable CA1031 // Whatever a grain throws is its caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return call.Throw(exception);
        }
    }

    internal void Ended(Call call, Task ended)
    {
        var method = call.Method;
        if (method.Interleaves) _interleaving--;
        else if (method.ReadsOnly) _reading--;
        else _writing--;
        _freed = true;
        if (method.CountsAsUse) _lastUsed = Kind.Engine.Now;
        if (call.Started != 0) EngineTelemetry.Turn(method, Kind.Engine.Time.GetElapsedTime(call.Started));
        if (ended.IsFaulted && ended.Exception.InnerException is InconsistentStateException { IsSourceActivation: true } inconsistent)
        {
            inconsistent.IsSourceActivation = false;
            Go(new(DeactivationReasonCode.ApplicationError, inconsistent, "Its state is not what is stored."));
        }
        call.Answer?.Give(ended);
    }

    private void Wait(Call call)
    {
        if (_lastWaiting is null) _firstWaiting = call;
        else _lastWaiting.Next = call;
        _lastWaiting = call;
        call.Next = null;
        Count(call.Method, 1);
    }

    private void Count(GrainMethod method, int change)
    {
        _waitingCount += change;
        if (method.Interleaves) _waitingInterleaving += change;
        else if (method.ReadsOnly) _waitingReading += change;
    }

    private void Forward(Call call)
    {
        // A turn of this activation's own, such as a timer's, ends with it.
        if (call.Answer is null) return;
        try
        {
            Kind.Find(Key).Enqueue(call);
        }
        catch (SiloUnavailableException stopped)
        {
            call.Answer.Fail(stopped);
        }
    }

    private Call? TakeWaiting()
    {
        var first = _firstWaiting;
        _firstWaiting = _lastWaiting = null;
        _waitingCount = _waitingInterleaving = _waitingReading = 0;
        return first;
    }

    // ---- Life

    private async Task ActivateAsync()
    {
        try
        {
            _scope = Kind.Engine.Services.CreateAsyncScope();
            var stored = Kind.NewStored(this);
            RuntimeContext.Current = this;
            try
            {
                _grain = Kind.Create(_scope.ServiceProvider, stored);
            }
            finally
            {
                RuntimeContext.Current = null;
            }
            foreach (var part in stored) await ((IStoredPart)part).ReadStateAsync();
            await _grain.OnActivateAsync(CancellationToken.None);
            _lastUsed = Kind.Engine.Now;
            _freed = true;
            _stage = _reason.ReasonCode == DeactivationReasonCode.None ? Stage.Active : Stage.Deactivating;
        }
#pragma warning disable CA1031 // Whatever keeps a grain from activating is for those who called it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Kind.Engine.Log.LogWarning(exception, "A {Grain} grain failed to activate", Kind.Name);
            await DisposeAsync();
            Vanish();
            for (var call = TakeWaiting(); call is not null;)
            {
                var next = (Call?)call.Next;
                call.Next = null;
                call.Answer?.Fail(exception);
                call = next;
            }
        }
    }

    /// <summary>Called from anywhere.</summary>
    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        if (Current == this) Go(deactivationReason);
        else Post(_ => Go(deactivationReason), null);
    }

    /// <summary>Called from anywhere: goes if it has nothing to do, and nobody has called it after <paramref name="since"/>.</summary>
    internal void DeactivateIfIdle(DeactivationReason reason, long since)
    {
        // Roughly right is enough to spare most of them the turn that decides.
        if (IsLeftAlone(since)) Post(_ =>
        {
            if (IsIdle && IsLeftAlone(since)) Go(reason);
        }, null);
    }

    private bool IsLeftAlone(long since) =>
        _stage == Stage.Active && Volatile.Read(ref _lastUsed) <= since && Volatile.Read(ref _stayUntil) <= Kind.Engine.Now;

    /// <summary>Called from anywhere: has it look whether it should go.</summary>
    internal void Nudge() => Post(static _ => { }, null);

    internal void DelayDeactivation(TimeSpan time)
    {
        var engine = Kind.Engine;
        _stayUntil = time < TimeSpan.Zero && time != Timeout.InfiniteTimeSpan
            ? 0
            : time == Timeout.InfiniteTimeSpan || time > GrainEngine.Forever ? long.MaxValue : engine.Now + engine.Ticks(time);
    }

    private void Go(DeactivationReason reason)
    {
        if (_reason.ReasonCode != DeactivationReasonCode.None || _stage is Stage.New or Stage.Gone) return;
        _reason = reason;
        if (_stage == Stage.Active) _stage = Stage.Deactivating;
    }

    private async Task DeactivateAsync()
    {
        StopTimers();
        try
        {
            using var limit = new CancellationTokenSource(GrainEngine.DeactivationLimit, Kind.Engine.Time);
            await _grain!.OnDeactivateAsync(_reason, limit.Token).WaitAsync(limit.Token);
        }
#pragma warning disable CA1031 // It goes all the same.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Kind.Engine.Log.LogError(exception, "A {Grain} grain failed to deactivate ({Reason})", Kind.Name, _reason.ReasonCode);
        }
        await DisposeAsync();
        Vanish();
        for (var call = TakeWaiting(); call is not null;)
        {
            var next = (Call?)call.Next;
            call.Next = null;
            Forward(call);
            call = next;
        }
    }

    private async Task DisposeAsync()
    {
        StopTimers();
        try
        {
            if (_grain is IAsyncDisposable asyncDisposable) await asyncDisposable.DisposeAsync();
            else if (_grain is IDisposable disposable) disposable.Dispose();
            await _scope.DisposeAsync();
        }
#pragma warning disable CA1031 // It goes all the same.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Kind.Engine.Log.LogError(exception, "A {Grain} grain failed to be disposed of", Kind.Name);
        }
    }

    internal IGrainTimer AddTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        if (Current != this)
            throw new InvalidOperationException($"A timer of a {Kind.Name} grain is registered from within its turns only.");
        var timer = new GrainTimer(this, callback, options);
        (_timers ??= []).Add(timer);
        return timer;
    }

    internal void RemoveTimer(GrainTimer timer) => _timers?.Remove(timer);

    private void StopTimers()
    {
        while (_timers is { Count: > 0 }) _timers[^1].Dispose();
    }

    private void Vanish()
    {
        Kind.Remove(this);
        _stage = Stage.Gone;
        // A reference that nobody uses may keep this for long; it shall not keep the grain.
        _grain = null;
    }
}
