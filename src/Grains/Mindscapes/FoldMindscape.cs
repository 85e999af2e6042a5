using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// Something was recorded of a person, in the transaction that left this task. Whichever of many tasks comes first has all of
/// it folded; the others find nothing to do.
/// </summary>
public sealed class FoldMindscape(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "mindscape.fold";

    public sealed record Payload(Guid Person);

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        grains.Of<IMindscapeGrain>(new TenantScopedKey(task.Tenant, task.Payload.Read<Payload>().Person)).Fold();
}
