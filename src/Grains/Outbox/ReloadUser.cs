using PersonaActors.Contracts.Users;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>The catalogue gave a user an LLM config and tells the user's grain itself; were it kept from that, this does.</summary>
public sealed class ReloadUser(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "user.reload";

    public sealed record Payload(Guid User);

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        grains.Of<IUserGrain>(new TenantScopedKey(task.Tenant, task.Payload.Read<Payload>().User)).Reload();
}
