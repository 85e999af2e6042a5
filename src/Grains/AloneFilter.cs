using PersonaActors.Contracts;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains;

/// <summary>
/// A silo that hears none of the others refuses what doesn't end here. While it hears some, a change that waits a silent one out
/// is waited for.
/// </summary>
public sealed class AloneFilter(Keeper keeper) : IOutgoingGrainCallFilter
{
    public Task Invoke(IOutgoingGrainCallContext context) =>
        context.InterfaceMethod.DeclaringType?.Assembly == typeof(Wire).Assembly ? keeper.Unless(static keeper => keeper.IsAlone, context.Invoke()) : context.Invoke();
}
