namespace PersonaActors.Engine;

internal abstract class Activation : IGrainContext
{
    internal abstract string Key { get; }

    internal abstract IGrainFactory Factory { get; }

    public abstract object? GrainInstance { get; }

    public abstract IServiceProvider ActivationServices { get; }

    public abstract void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);

    internal abstract void DelayDeactivation(TimeSpan timeSpan);
}
