namespace PersonaActors.Grains.Replicas;

/// <summary>What every owner understands beside its own calls: that somebody else is about to commit its rows.</summary>
[Alias("yielding")]
public interface IYielding : IGrainExtension
{
    [Alias("yield"), AlwaysInterleave]
    Task Yield();

    [Alias("resume"), AlwaysInterleave]
    Task Resume();
}

public sealed class Yielding(IGrainContextAccessor activation) : IYielding
{
    private Owner? Owner => activation.GrainContext.GetComponent<Owner>();

    public Task Yield() => Owner?.Yield() ?? Task.CompletedTask;

    public Task Resume()
    {
        Owner?.Resume();
        return Task.CompletedTask;
    }
}
