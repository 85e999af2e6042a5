using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Conversations;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>A part of a channel's history was cleared for good: its messages go, and what the log says of them.</summary>
public sealed class EraseCleared(ConversationKeeper conversations, LogKeeper log) : IOutboxTaskHandler
{
    public const string Kind = "channel.erase";

    public sealed record Payload(string Channel, Guid Clear, DateTimeOffset At);

    string IOutboxTaskHandler.Kind => Kind;

    public async Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var (channel, clear, at) = task.Payload.Read<Payload>();
        await conversations.EraseCleared(task.Tenant, clear, ConversationPruner.Batch, cancel);
        await log.EraseBefore(task.Tenant, StreamName.Channel(channel), at, cancel);
    }
}
