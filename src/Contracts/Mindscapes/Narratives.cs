namespace PersonaActors.Contracts.Mindscapes;

public enum NarrativeType
{
    SelfObservation,
    Curation,
}

public enum CurationAction
{
    /// <summary>The trait is something else.</summary>
    Correct,
    Expand,
    Clarify,
}

public enum TraitLinkType
{
    ExtractedFrom,
    Curates,
    Supports,
    Contradicts,
}

/// <summary>What somebody says of a person in words.</summary>
/// <param name="Traits">Of a self-observation: what it says of traits, by path a value or {value, confidence}.</param>
/// <param name="TraitPath">Of a curation: the trait that it is about.</param>
/// <param name="Value">Of a correction: what the trait is instead; read from the text where it isn't given.</param>
/// <param name="ClientId">The sender's own id of it: it takes effect once a person, whoever sends it again.</param>
/// <param name="Origin">Of one that is taken over: what it was elsewhere.</param>
[GenerateSerializer, Immutable, Alias("new-narrative")]
public sealed record NewNarrative(
    [property: Id(0)] NarrativeType Type,
    [property: Id(1)] string Text,
    [property: Id(2)] Items<string>? Tags,
    [property: Id(3)] JsonText Context,
    [property: Id(4)] string? Source,
    [property: Id(5)] string? ClientId,
    [property: Id(6)] JsonText? Traits,
    [property: Id(7)] string? TraitPath,
    [property: Id(8)] CurationAction? Action,
    [property: Id(9)] JsonText? OriginalValue,
    [property: Id(10)] JsonText? Value,
    [property: Id(11)] NarrativeOrigin? Origin = null);

/// <param name="At">When it was said.</param>
/// <param name="Links">What it has to do with traits.</param>
[GenerateSerializer, Immutable, Alias("narrative-origin")]
public sealed record NarrativeOrigin([property: Id(0)] DateTimeOffset At, [property: Id(1)] string? CuratedText, [property: Id(2)] Items<TraitLink> Links);

/// <summary>What is given replaces what was.</summary>
[GenerateSerializer, Immutable, Alias("narrative-change")]
public sealed record NarrativeChange(
    [property: Id(0)] string? Text,
    [property: Id(1)] string? CuratedText,
    [property: Id(2)] Items<string>? Tags,
    [property: Id(3)] JsonText? Context);

/// <summary>What a text's nearness to others is told by.</summary>
/// <param name="Model">Whose it is: those of two are never compared.</param>
[GenerateSerializer, Immutable, Alias("text-vector")]
public sealed record TextVector([property: Id(0)] string Model, [property: Id(1)] ReadOnlyMemory<float> Values);

[GenerateSerializer, Immutable, Alias("trait-link")]
public sealed record TraitLink([property: Id(0)] string TraitPath, [property: Id(1)] TraitLinkType Type, [property: Id(2)] double Confidence);

/// <param name="EmbeddingGenerated">It is found by meaning; until then by its words alone.</param>
[GenerateSerializer, Immutable, Alias("narrative-view")]
public sealed record NarrativeView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid PersonId,
    [property: Id(2)] NarrativeType Type,
    [property: Id(3)] string Text,
    [property: Id(4)] string? CuratedText,
    [property: Id(5)] Items<string> Tags,
    [property: Id(6)] string? TraitPath,
    [property: Id(7)] CurationAction? Action,
    [property: Id(8)] JsonText? OriginalValue,
    [property: Id(9)] JsonText Context,
    [property: Id(10)] string? Source,
    [property: Id(11)] string? ClientId,
    [property: Id(12)] bool EmbeddingGenerated,
    [property: Id(13)] Items<TraitLink> Links,
    [property: Id(14)] int Version,
    [property: Id(15)] DateTimeOffset CreatedAt,
    [property: Id(16)] DateTimeOffset UpdatedAt);
