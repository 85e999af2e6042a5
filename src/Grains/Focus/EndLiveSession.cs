using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Focus;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Focus;

/// <summary>A user is no longer active: their live session ends. One who is active again by then keeps it.</summary>
public sealed class EndLiveSession(IGrainFactory grains, FocusStore sessions) : IOutboxTaskHandler
{
    public const string Kind = "focus.end-live";

    public sealed record Payload(Guid Person);

    string IOutboxTaskHandler.Kind => Kind;

    public async Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var person = new TenantScopedKey(task.Tenant, task.Payload.Read<Payload>().Person);
        if (await sessions.LiveIdOfInactive(person.Tenant, person.Id, cancel) is { } live)
        {
            var command = Command.OfService($"focus:{live}:inactive", person.Id);
            await grains.Of<IPersonSessionsGrain>(person).End(command, live, new SessionEnd(null, null, EarlyEnd: true));
        }
    }
}
