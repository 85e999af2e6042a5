using Orleans.Runtime.Messaging;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

public static class Passing
{
    /// <summary>The call met a silo that went away; the next one lands on a living one.</summary>
    public static bool MetLeavingSilo(this Exception e) =>
        e is SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException;

    /// <summary>The database or a silo went away, or another activation was first: the same call may succeed in a moment.</summary>
    public static bool MayPass(this Exception e) =>
        e.MeansOutage() || e is ActivationOutdatedException or TimeoutException || e.MetLeavingSilo();
}
