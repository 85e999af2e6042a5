using PersonaActors.Contracts;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// A database that can't be reached is said in our own words, wherever in a call it was met: what Orleans' reminders and
/// storage throw wraps it, so it is known by its cause. What is outdated may be tried again at once, whatever made it so.
/// </summary>
public sealed class OutageFilter : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (Exception e) when (e is not (StorageUnavailableException or ActivationOutdatedException) && e.MeansOutage())
        {
            throw new StorageUnavailableException("The database can't be reached.", e);
        }
    }
}
