namespace PersonaActors.Contracts.Catalogue;

/// <summary>A new LLM config, global or of a user: whose it is, is decided by who makes it.</summary>
[GenerateSerializer, Immutable, Alias("llm-config-draft")]
public sealed record LlmConfigDraft(
    [property: Id(0)] string? Name,
    [property: Id(1)] string? Description,
    [property: Id(2)] string? Model,
    [property: Id(3)] string? VisionModel,
    [property: Id(4)] string? Provider,
    [property: Id(5)] double? Temperature,
    [property: Id(6)] double? TopP,
    [property: Id(7)] double? MinP,
    [property: Id(8)] double? TopA,
    [property: Id(9)] int? TopK,
    [property: Id(10)] double? FrequencyPenalty,
    [property: Id(11)] double? PresencePenalty,
    [property: Id(12)] double? RepetitionPenalty,
    [property: Id(13)] int? MaxTokens,
    [property: Id(14)] int? ContextWindowTokens,
    [property: Id(15)] Items<string>? Stop,
    [property: Id(16)] long? Seed,
    [property: Id(17)] JsonText? LogitBias,
    [property: Id(18)] JsonText? ResponseFormat,
    [property: Id(19)] Reasoning? Reasoning,
    [property: Id(20)] double? MemoryScoreThreshold,
    [property: Id(21)] int? MemoryLimit,
    [property: Id(22)] bool? IsDefault,
    [property: Id(23)] bool? IsFreeDefault)
{
    public static readonly LlmConfigDraft Empty = new(
        null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

    public LlmConfigView ToView(Guid id, Guid? owner, DateTimeOffset at) => new(
        id, owner, Name ?? "", Description, Model, VisionModel, Provider, Temperature, TopP, MinP, TopA, TopK, FrequencyPenalty, PresencePenalty,
        RepetitionPenalty, MaxTokens, ContextWindowTokens, Stop, Seed, LogitBias, ResponseFormat, Reasoning, MemoryScoreThreshold, MemoryLimit,
        IsDefault ?? false, IsFreeDefault ?? false, 1, at, at);
}

/// <param name="OwnerId">A global config that gets one is that user's alone from then on.</param>
[GenerateSerializer, Immutable, Alias("llm-config-change")]
public sealed record LlmConfigChange(
    [property: Id(0)] Patch<string> Name,
    [property: Id(1)] Patch<string> Description,
    [property: Id(2)] Patch<string> Model,
    [property: Id(3)] Patch<string> VisionModel,
    [property: Id(4)] Patch<string> Provider,
    [property: Id(5)] Patch<double?> Temperature,
    [property: Id(6)] Patch<double?> TopP,
    [property: Id(7)] Patch<double?> MinP,
    [property: Id(8)] Patch<double?> TopA,
    [property: Id(9)] Patch<int?> TopK,
    [property: Id(10)] Patch<double?> FrequencyPenalty,
    [property: Id(11)] Patch<double?> PresencePenalty,
    [property: Id(12)] Patch<double?> RepetitionPenalty,
    [property: Id(13)] Patch<int?> MaxTokens,
    [property: Id(14)] Patch<int?> ContextWindowTokens,
    [property: Id(15)] Patch<Items<string>> Stop,
    [property: Id(16)] Patch<long?> Seed,
    [property: Id(17)] Patch<JsonText> LogitBias,
    [property: Id(18)] Patch<JsonText> ResponseFormat,
    [property: Id(19)] Patch<Reasoning?> Reasoning,
    [property: Id(20)] Patch<double?> MemoryScoreThreshold,
    [property: Id(21)] Patch<int?> MemoryLimit,
    [property: Id(22)] Patch<bool?> IsDefault,
    [property: Id(23)] Patch<bool?> IsFreeDefault,
    [property: Id(24)] Patch<Guid?> OwnerId)
{
    public LlmConfigView Over(LlmConfigView known) => known with
    {
        Name = Name.Over(known.Name) ?? "",
        Description = Description.Over(known.Description),
        Model = Model.Over(known.Model),
        VisionModel = VisionModel.Over(known.VisionModel),
        Provider = Provider.Over(known.Provider),
        Temperature = Temperature.Over(known.Temperature),
        TopP = TopP.Over(known.TopP),
        MinP = MinP.Over(known.MinP),
        TopA = TopA.Over(known.TopA),
        TopK = TopK.Over(known.TopK),
        FrequencyPenalty = FrequencyPenalty.Over(known.FrequencyPenalty),
        PresencePenalty = PresencePenalty.Over(known.PresencePenalty),
        RepetitionPenalty = RepetitionPenalty.Over(known.RepetitionPenalty),
        MaxTokens = MaxTokens.Over(known.MaxTokens),
        ContextWindowTokens = ContextWindowTokens.Over(known.ContextWindowTokens),
        Stop = Stop.Over(known.Stop),
        Seed = Seed.Over(known.Seed),
        LogitBias = LogitBias.Over(known.LogitBias),
        ResponseFormat = ResponseFormat.Over(known.ResponseFormat),
        Reasoning = Reasoning.Over(known.Reasoning),
        MemoryScoreThreshold = MemoryScoreThreshold.Over(known.MemoryScoreThreshold),
        MemoryLimit = MemoryLimit.Over(known.MemoryLimit),
        IsDefault = IsDefault.Over(known.IsDefault) ?? false,
        IsFreeDefault = IsFreeDefault.Over(known.IsFreeDefault) ?? false,
    };
}
