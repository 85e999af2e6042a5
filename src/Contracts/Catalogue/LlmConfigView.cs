namespace PersonaActors.Contracts.Catalogue;

public enum Reasoning
{
    Off,
    Minimal,
    Low,
    Medium,
    High,
    Max,
}

/// <summary>
/// Model and sampling parameters as GET answers them: global to the tenant, or a user's own. A parameter that is null says
/// nothing, and each falls through to the next tier on its own.
/// </summary>
[GenerateSerializer, Immutable, Alias("llm-config-view")]
public sealed record LlmConfigView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid? OwnerId,
    [property: Id(2)] string Name,
    [property: Id(3)] string? Description,
    [property: Id(4)] string? Model,
    [property: Id(5)] string? VisionModel,
    [property: Id(6)] string? Provider,
    [property: Id(7)] double? Temperature,
    [property: Id(8)] double? TopP,
    [property: Id(9)] double? MinP,
    [property: Id(10)] double? TopA,
    [property: Id(11)] int? TopK,
    [property: Id(12)] double? FrequencyPenalty,
    [property: Id(13)] double? PresencePenalty,
    [property: Id(14)] double? RepetitionPenalty,
    [property: Id(15)] int? MaxTokens,
    [property: Id(16)] int? ContextWindowTokens,
    [property: Id(17)] Items<string>? Stop,
    [property: Id(18)] long? Seed,
    [property: Id(19)] JsonText? LogitBias,
    [property: Id(20)] JsonText? ResponseFormat,
    [property: Id(21)] Reasoning? Reasoning,
    [property: Id(22)] double? MemoryScoreThreshold,
    [property: Id(23)] int? MemoryLimit,
    [property: Id(24)] bool IsDefault,
    [property: Id(25)] bool IsFreeDefault,
    [property: Id(26)] long Version,
    [property: Id(27)] DateTimeOffset CreatedAt,
    [property: Id(28)] DateTimeOffset UpdatedAt)
{
    public bool IsGlobal => OwnerId is null;
}
