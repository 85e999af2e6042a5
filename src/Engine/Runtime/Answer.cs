namespace PersonaActors.Engine;

/// <summary>
/// What the caller of a call waits for, when it has to wait. It is given once, by whoever comes first: the grain, the
/// deadline or the caller's cancellation.
/// </summary>
internal abstract class Answer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private Action? _onEnded;
    private CancellationTokenRegistration _cancellation;
    private Activation? _activation;
    private Task? _running;

    protected Answer(Call call) => Call = call;

    internal Call Call { get; }

    // The chain of PendingCalls, under the lock of its shard.
    internal Answer? Before { get; set; }
    internal Answer? After { get; set; }
    internal bool Listed { get; set; }
    internal int Shard { get; set; }
    internal long Deadline { get; set; }

    internal abstract Task Task { get; }

    internal void CancelWith(CancellationToken token)
    {
        if (token.CanBeCanceled)
            _cancellation = token.UnsafeRegister(static (answer, token) => ((Answer)answer!).Cancel(token), this);
    }

    internal Task Begin(Activation activation)
    {
        if (_context is null) return activation.Invoke(Call);
        // Flows what is ambient with the caller (its trace above all) into a turn that runs on another thread.
        _activation = activation;
        ExecutionContext.Run(_context, static state =>
        {
            var answer = (Answer)state!;
            answer._running = answer._activation!.Invoke(answer.Call);
        }, this);
        return _running!;
    }

    /// <summary>Answers when <paramref name="running"/> ends. Called, and later ends, inside the activation.</summary>
    internal void Await(Activation activation, Task running)
    {
        _activation = activation;
        _running = running;
        _onEnded ??= () => _activation!.Ended(Call, _running!);
        running.GetAwaiter().UnsafeOnCompleted(_onEnded);
    }

    internal void Give(Task ended)
    {
        Close();
        Set(ended);
    }

    internal void Fail(Exception exception)
    {
        Close();
        Set(exception);
    }

    private void Cancel(CancellationToken token)
    {
        Call.Method.Kind.Engine.Pending.Remove(this);
        Set(token);
    }

    private void Close()
    {
        Call.Method.Kind.Engine.Pending.Remove(this);
        _cancellation.Unregister();
    }

    protected abstract void Set(Task ended);

    protected abstract void Set(Exception exception);

    protected abstract void Set(CancellationToken token);
}

internal sealed class TaskAnswer(Call call) : Answer(call)
{
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal override Task Task => _source.Task;

    protected override void Set(Task ended) => _source.TrySetFromTask(ended);

    protected override void Set(Exception exception) => _source.TrySetException(exception);

    protected override void Set(CancellationToken token) => _source.TrySetCanceled(token);
}

internal sealed class TaskAnswer<T>(Call call) : Answer(call)
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal override Task Task => _source.Task;

    protected override void Set(Task ended) => _source.TrySetFromTask((Task<T>)ended);

    protected override void Set(Exception exception) => _source.TrySetException(exception);

    protected override void Set(CancellationToken token) => _source.TrySetCanceled(token);
}
