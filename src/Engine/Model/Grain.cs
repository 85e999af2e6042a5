namespace PersonaActors.Engine;

/// <summary>
/// The base of every grain class. The engine makes one instance per key on the first call, gives it one call at a time,
/// and lets it go when nobody has called it for a while.
/// </summary>
public abstract class Grain : IGrainBase, IAddressable
{
    private readonly Activation? _activation;

    protected Grain() => _activation = RuntimeContext.Current;

    /// <summary>Null only in an instance made by hand, outside the engine.</summary>
    public IGrainContext GrainContext => _activation!;

    protected IGrainFactory GrainFactory => Activation.Factory;

    protected internal IServiceProvider ServiceProvider => Activation.ActivationServices;

    internal Activation Activation => _activation
        ?? throw new InvalidOperationException($"{GetType().Name} was made outside the engine.");

    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    /// <summary>Deactivates when the running calls have ended; calls that wait go to the next activation.</summary>
    protected void DeactivateOnIdle() => Activation.Deactivate(
        new(DeactivationReasonCode.ApplicationRequested, $"{nameof(DeactivateOnIdle)} was called."));

    /// <summary>Not collected for idleness before this time has passed; a negative span takes that back.</summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.DelayDeactivation(timeSpan);
}
