using PersonaActors.Storage.Events;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>What is left of a deleted user: rows went by cascade in the deleting transaction, a long history goes here in batches.</summary>
public sealed class EraseUser(LogKeeper log) : IOutboxTaskHandler
{
    public const string Kind = "user.erase";

    public sealed record Payload(Guid User);

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) => log.EraseUser(task.Tenant, task.Payload.Read<Payload>().User, cancel);
}
