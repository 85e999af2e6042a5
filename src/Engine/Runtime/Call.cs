namespace PersonaActors.Engine;

/// <summary>
/// One call of one grain method: the emitted subclass of each interface method carries its arguments and makes it on the
/// grain that it is given. A call that can't be made and answered on the spot gets an <see cref="Engine.Answer"/>.
/// </summary>
internal abstract class Call(GrainMethod method) : Work
{
    internal GrainMethod Method { get; } = method;

    internal Answer? Answer { get; set; }

    /// <summary>When it began, if anybody measures.</summary>
    internal long Started { get; set; }

    /// <summary>The trailing argument, where the method has it.</summary>
    public virtual CancellationToken Token => default;

    internal sealed override void Run(TurnQueue queue) => ((Activation)queue).Receive(this);

    internal abstract Task Begin(object grain);

    internal abstract Task Throw(Exception exception);

    internal abstract Answer NewAnswer();
}

internal abstract class TaskCall(GrainMethod method) : Call(method)
{
    public abstract Task Invoke(object grain);

    internal sealed override Task Begin(object grain) => Invoke(grain);

    internal sealed override Task Throw(Exception exception) => Task.FromException(exception);

    internal sealed override Answer NewAnswer() => new TaskAnswer(this);
}

internal abstract class TaskCall<T>(GrainMethod method) : Call(method)
{
    public abstract Task<T> Invoke(object grain);

    internal sealed override Task Begin(object grain) => Invoke(grain);

    internal sealed override Task Throw(Exception exception) => Task.FromException<T>(exception);

    internal sealed override Answer NewAnswer() => new TaskAnswer<T>(this);
}
