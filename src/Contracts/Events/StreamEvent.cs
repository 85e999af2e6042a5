namespace PersonaActors.Contracts.Events;

/// <summary>One event of one stream. <see cref="Seq"/> is dense per stream and epoch, from 1, in commit order.</summary>
[GenerateSerializer, Immutable, Alias("stream-event")]
public sealed record StreamEvent(
    [property: Id(0)] string Stream,
    [property: Id(1)] string Epoch,
    [property: Id(2)] long Seq,
    [property: Id(3)] Guid Id,
    [property: Id(4)] string Type,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] JsonText Data);
