using PersonaActors.Storage.Events;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>A character went with its user: what the log says of it goes too, once those who listen have heard the end.</summary>
public sealed class EraseStream(LogKeeper log) : IOutboxTaskHandler
{
    public const string Kind = "stream.erase";

    public static readonly TimeSpan After = TimeSpan.FromSeconds(2);

    public sealed record Payload(string Stream);

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) => log.EraseStream(task.Tenant, task.Payload.Read<Payload>().Stream, cancel);
}
