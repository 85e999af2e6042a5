namespace PersonaActors.Contracts.Mindscapes;

/// <param name="Mapper">The mapper's own id, as its configuration names it.</param>
/// <param name="TtlHours">How long it holds; the mapper's say where none is given.</param>
[GenerateSerializer, Immutable, Alias("persona-request")]
public sealed record PersonaRequest(
    [property: Id(0)] string Mapper,
    [property: Id(1)] JsonText Context,
    [property: Id(2)] int? TtlHours);

/// <summary>What an agent was given of a person for one purpose, for a time.</summary>
/// <param name="MapperId">The version of the mapper that made it; <see cref="MapperConfigId"/> is its name.</param>
/// <param name="Core">What changes slowly, in the founding document's names.</param>
/// <param name="Overlay">What holds now, likewise, with the suggestions.</param>
[GenerateSerializer, Immutable, Alias("generated-persona-view")]
public sealed record GeneratedPersonaView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid PersonId,
    [property: Id(2)] Guid MapperId,
    [property: Id(3)] string MapperConfigId,
    [property: Id(4)] int MapperVersion,
    [property: Id(5)] long MindscapeVersion,
    [property: Id(6)] JsonText Core,
    [property: Id(7)] JsonText Overlay,
    [property: Id(8)] JsonText Metadata,
    [property: Id(9)] DateTimeOffset CreatedAt,
    [property: Id(10)] DateTimeOffset ExpiresAt,
    [property: Id(11)] bool Stale);

/// <summary>A mapper tried on a person: nothing of it is stored.</summary>
/// <param name="Traits">Traits as if they were so: by path, the value.</param>
/// <param name="Configuration">Tried in place of the mapper's active version.</param>
[GenerateSerializer, Immutable, Alias("simulation-request")]
public sealed record SimulationRequest(
    [property: Id(0)] string Mapper,
    [property: Id(1)] JsonText Context,
    [property: Id(2)] JsonText Traits,
    [property: Id(3)] JsonText? Configuration);
