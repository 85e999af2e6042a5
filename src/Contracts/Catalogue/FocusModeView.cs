namespace PersonaActors.Contracts.Catalogue;

/// <summary>A behaviour profile as GET answers it: one of the system's, or of the tenant.</summary>
[GenerateSerializer, Immutable, Alias("focus-mode-view")]
public sealed record FocusModeView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string ModeName,
    [property: Id(2)] string DisplayName,
    [property: Id(3)] string? Description,
    [property: Id(4)] string? Icon,
    [property: Id(5)] string SystemPrompt,
    [property: Id(6)] string? DefaultModel,
    [property: Id(7)] JsonText Settings,
    [property: Id(8)] bool IsSystem,
    [property: Id(9)] bool IsActive,
    [property: Id(10)] long Version,
    [property: Id(11)] DateTimeOffset CreatedAt,
    [property: Id(12)] DateTimeOffset UpdatedAt);
