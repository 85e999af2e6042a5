namespace PersonaActors.Contracts.Catalogue;

/// <summary>What one prompt needs of its tenant's catalogue. Compared by value, so that a cached answer can be kept per question.</summary>
/// <param name="LlmConfigs">Configs that overrides and defaults name; those that are not global (any more) are left out of the answer.</param>
[GenerateSerializer, Immutable, Alias("catalogue-question")]
public sealed record CatalogueQuestion(
    [property: Id(0)] Guid? SystemPrompt,
    [property: Id(1)] Items<Guid> LlmConfigs,
    [property: Id(2)] string? FocusMode);

/// <summary>
/// The answer, all of it as of one version of the catalogue, which rises with every change of a system prompt, a global
/// config or a focus mode (system modes included).
/// </summary>
/// <param name="SystemPrompt">The one asked for, if it exists.</param>
/// <param name="FocusMode">The active mode of that name, if there is one.</param>
[GenerateSerializer, Immutable, Alias("catalogue-excerpt")]
public sealed record CatalogueExcerpt(
    [property: Id(0)] long Version,
    [property: Id(1)] SystemPromptView? SystemPrompt,
    [property: Id(2)] SystemPromptView? DefaultSystemPrompt,
    [property: Id(3)] Items<LlmConfigView> LlmConfigs,
    [property: Id(4)] LlmConfigView? DefaultLlmConfig,
    [property: Id(5)] LlmConfigView? FreeDefaultLlmConfig,
    [property: Id(6)] FocusModeView? FocusMode);
