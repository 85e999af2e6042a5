namespace PersonaActors.Engine;

/// <summary>What the engine knows of one activation of a grain.</summary>
public interface IGrainContext
{
    object? GrainInstance { get; }

    /// <summary>The activation's own service scope, disposed with it.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Starts no further call; deactivates when the running ones have ended.</summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}

/// <summary>The activation whose code runs on this thread; how the constructor of a grain learns whose grain it is.</summary>
internal static class RuntimeContext
{
    [field: ThreadStatic]
    internal static Activation? Current { get; set; }
}
