using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>A narrative was kept without its vector, in the transaction that left this task.</summary>
public sealed class EmbedNarrative(NarrativeStore narratives, IEmbedder embedder, IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "narrative.embed";

    public sealed record Payload(Guid Person, Guid Narrative);

    string IOutboxTaskHandler.Kind => Kind;

    public async Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var (person, id) = task.Payload.Read<Payload>();
        if (await narratives.Find(RowScope.OfUser(task.Tenant, person), id, cancel) is not { } narrative)
        {
            return;
        }

        var vector = await embedder.Vector(EmbeddingKind.Passage, narrative.Text, cancel);
        await grains.Of<IMindscapeGrain>(new TenantScopedKey(task.Tenant, person)).Embedded(id, narrative.Version, vector);
    }
}
