using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// A silo that hears none of the others, or can't read who they are, refuses what doesn't come to its end here. While it hears
/// some, a change that waits a silent one out is waited for.
/// </summary>
public sealed class CutOffFilter(Keeper keeper) : IOutgoingGrainCallFilter
{
    public Task Invoke(IOutgoingGrainCallContext context) =>
        context.InterfaceMethod.DeclaringType?.Assembly == typeof(Wire).Assembly
            ? context.Invoke().Unless(() => keeper.IsCutOff, keeper.Time)
            : context.Invoke();
}
