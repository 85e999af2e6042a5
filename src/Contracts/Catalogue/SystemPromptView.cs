namespace PersonaActors.Contracts.Catalogue;

/// <summary>A system prompt as GET answers it. Global to the tenant; at most one is its default.</summary>
[GenerateSerializer, Immutable, Alias("system-prompt-view")]
public sealed record SystemPromptView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string? Description,
    [property: Id(3)] string Content,
    [property: Id(4)] bool IsDefault,
    [property: Id(5)] long Version,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] DateTimeOffset UpdatedAt);
