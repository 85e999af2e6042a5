namespace PersonaActors.Contracts.Mindscapes;

/// <summary>Something that was observed of a person, as its sender says it.</summary>
/// <param name="ClientId">The sender's own id of it: it takes effect once a person, whoever sends it again.</param>
/// <param name="ObservedAt">When it happened, where that isn't now.</param>
[GenerateSerializer, Immutable, Alias("new-observation")]
public sealed record NewObservation(
    [property: Id(0)] string Type,
    [property: Id(1)] JsonText Content,
    [property: Id(2)] JsonText Metadata,
    [property: Id(3)] string? Source,
    [property: Id(4)] string? ClientId,
    [property: Id(5)] DateTimeOffset? ObservedAt);

/// <param name="Number">Its place among all that was recorded of the person, in which order it is taken into the mindscape.</param>
[GenerateSerializer, Immutable, Alias("observation-view")]
public sealed record ObservationView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid PersonId,
    [property: Id(2)] long Number,
    [property: Id(3)] string Type,
    [property: Id(4)] JsonText Content,
    [property: Id(5)] JsonText Metadata,
    [property: Id(6)] string? Source,
    [property: Id(7)] string? ClientId,
    [property: Id(8)] DateTimeOffset? ObservedAt,
    [property: Id(9)] DateTimeOffset CreatedAt);

public enum Recording
{
    Recorded,

    /// <summary>It had been recorded under the same client id: that one is answered.</summary>
    Duplicate,
    Refused,
}

/// <summary>What became of one observation of those that were sent together.</summary>
[GenerateSerializer, Immutable, Alias("recorded-observation")]
public sealed record RecordedObservation(
    [property: Id(0)] Recording Status,
    [property: Id(1)] ObservationView? Observation,
    [property: Id(2)] Refusal? Refusal);

/// <summary>In the order in which they were sent.</summary>
[GenerateSerializer, Immutable, Alias("recorded-observations")]
public sealed record RecordedObservations([property: Id(0)] Items<RecordedObservation> Results);
