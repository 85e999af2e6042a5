using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>Feedback named a rule: its mapper's grain is told by the person's; were it kept from that, this does.</summary>
public sealed class LearnFromFeedback(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "mapper.learn";

    public sealed record Payload(Guid Person, string Mapper);

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        grains.Of<IMapperGrain>(MapperKey.Of(task.Tenant, task.Payload.Read<Payload>().Mapper)).Learn();
}

/// <summary>A rule's weight has moved: who moved it is told on their own stream.</summary>
public sealed class TellAdjusted(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "mapper.adjusted";

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var adjustment = task.Payload.Read<RuleAdjustment>();
        return grains.Of<IMindscapeGrain>(new TenantScopedKey(task.Tenant, adjustment.Person)).NoteAdjusted(adjustment);
    }
}
