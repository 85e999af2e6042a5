namespace PersonaActors.Contracts.Prompts;

/// <summary>What an agent wants to know of a person.</summary>
/// <param name="Budget">Tokens that it may take.</param>
/// <param name="Query">What it is about, if anything.</param>
[GenerateSerializer, Immutable, Alias("context-request")]
public sealed record ContextRequest([property: Id(0)] int Budget, [property: Id(1)] string? Mapper, [property: Id(2)] string? Query);

/// <summary>What an agent is told of a person, a line each with its source.</summary>
/// <param name="Lasting">Who they are and what is known of them: the same until that changes.</param>
/// <param name="Moment">What they are doing now, and what there is to the query.</param>
/// <param name="Tokens">Of both.</param>
[GenerateSerializer, Immutable, Alias("person-context")]
public sealed record PersonContext([property: Id(0)] string Lasting, [property: Id(1)] string? Moment, [property: Id(2)] int Tokens);
