using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// Looks whether there is anything that another model embedded, and begins a job for each tenant of this silo's part that has
/// any. A tenant gets one an hour at most: were two silos of a cluster set to different models, they would undo each other's
/// work without an end.
/// </summary>
public sealed class OtherModels(
    EmbeddingModelStore outdated, IEmbedder embedder, IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails silo, Clock time,
    ILogger<OtherModels> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromHours(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("The search for what other models embedded", Every, time, log).Run(Look, stoppingToken);

    public async Task Look(CancellationToken cancel)
    {
        if (SweepPart.Of(membership, silo.SiloAddress) is not { } part)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var tenant in await outdated.Tenants(part, now - AtMostEvery, cancel))
        {
            log.LogInformation("Another model than {Model} embedded texts of tenant {Tenant}: they are embedded anew", embedder.Model, tenant);
            var order = new JobOrder(EmbeddingModelStore.JobKind, null, JsonText.From(new Reembedding.Input(embedder.Model)));
            var outcome = await grains.Of<IJobGrain>(new TenantScopedKey(tenant, Guid.CreateVersion7(now))).Start(Command.Unasked(new Actor(ActorKind.Service, null)), order);
            if (outcome.Refusal is { } refusal)
            {
                log.LogInformation("Not yet: {Reason}", refusal.Detail);
            }
        }
    }
}
