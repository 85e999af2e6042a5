using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// A database that can't be reached is said in our own words, wherever in a call it was met: what Orleans' reminders and
/// storage throw wraps it, so it is known by its cause.
/// </summary>
public sealed class OutageFilter : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (Exception e) when (e is not StorageUnavailableException && IsOutage(e))
        {
            throw new StorageUnavailableException("The database can't be reached.", e);
        }
    }

    private static bool IsOutage(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is PostgresException refusal ? refusal.IsOutage() : e is NpgsqlException)
            {
                return true;
            }
        }

        return false;
    }
}
