using PersonaActors.Contracts;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

public static class Passing
{
    /// <summary>The database or a silo went away, or another activation was first: the same call may succeed in a moment.</summary>
    public static bool MayPass(this Exception e) =>
        e.MeansOutage() || e is ActivationOutdatedException or TimeoutException or SiloUnavailableException or OrleansMessageRejectionException;
}
