using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace PersonaActors.Grains.Replicas;

/// <param name="By">The activation that is about to change it.</param>
/// <param name="Below">The version that the change makes.</param>
[GenerateSerializer, Immutable, Alias("replica-drop")]
public sealed record ReplicaDrop([property: Id(0)] ReplicaKey Key, [property: Id(1)] Guid By, [property: Id(2)] long Below);

/// <summary>What the keepers of two silos say to each other (see <see cref="Holding"/>).</summary>
[Alias("replica-service")]
public interface IReplicaService : IGrainService
{
    [Alias("drop"), ResponseTimeout("00:00:01")]
    ValueTask Drop(ReplicaDrop drop);

    /// <summary>The drops that the asking silo hasn't answered yet; nothing from a silo that doesn't belong to the cluster any more.</summary>
    [Alias("keep-alive"), ResponseTimeout("00:00:01")]
    ValueTask<ReplicaDrop[]?> KeepAlive(SiloAddress asking);

    /// <summary>The silo shuts down and holds nothing any more.</summary>
    [Alias("leave"), ResponseTimeout("00:00:01")]
    ValueTask Leave(SiloAddress silo);
}

public sealed class ReplicaService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, Keeper keeper)
    : GrainService(id, silo, loggers), IReplicaService
{
    public ValueTask Drop(ReplicaDrop drop)
    {
        keeper.Drop(drop);
        return ValueTask.CompletedTask;
    }

    public ValueTask<ReplicaDrop[]?> KeepAlive(SiloAddress asking) => ValueTask.FromResult(keeper.Owed(asking));

    public ValueTask Leave(SiloAddress silo)
    {
        keeper.Left(silo);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The way to the keeper of another silo.</summary>
public sealed class ReplicaServiceClient(IServiceProvider services) : GrainServiceClient<IReplicaService>(services)
{
    public IReplicaService On(SiloAddress silo) => GetGrainService(silo);
}
