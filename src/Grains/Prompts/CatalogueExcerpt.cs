using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Prompts;

/// <summary>What one prompt takes of its tenant's catalogue.</summary>
/// <param name="SystemPrompt">The one that the personality names, if it exists.</param>
/// <param name="LlmConfigs">Those that overrides and defaults name, if they are global.</param>
/// <param name="FocusMode">The active mode that was asked for, if there is one.</param>
public sealed record CatalogueExcerpt(
    SystemPromptView? SystemPrompt,
    SystemPromptView? DefaultSystemPrompt,
    Items<LlmConfigView> LlmConfigs,
    LlmConfigView? DefaultLlmConfig,
    LlmConfigView? FreeDefaultLlmConfig,
    FocusModeView? FocusMode);
