using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// A database that can't be reached is said in our own words, wherever in a call it was met: what Orleans' reminders and
/// storage throw wraps it, so it is known by its cause. What is outdated may be tried again at once, whatever made it so. And a
/// silo that may have been voted out without knowing it answers nothing from its grains' memory: they may live elsewhere by now;
/// when it is back it loads them anew.
/// </summary>
public sealed class OutageFilter(Keeper keeper) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        Owner? owner = null;
        if (context.Grain.GetType().Assembly == typeof(OutageFilter).Assembly)
        {
            keeper.CheckStanding();
            owner = context.TargetContext.GetComponent<Owner>();
            owner?.ThrowIfOver();
        }

        try
        {
            await context.Invoke();
        }
        catch (Exception e) when (e is not (StorageUnavailableException or ActivationOutdatedException) && e.MeansOutage())
        {
            throw new StorageUnavailableException("The database can't be reached.", e);
        }

        // Or what was in memory before would be answered under the epoch of what is there since.
        owner?.ThrowIfLapsed();
    }
}
