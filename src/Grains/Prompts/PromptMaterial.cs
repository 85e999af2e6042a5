using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Everything that sections 1–5, the LLM parameters and the settings of one prompt are made of: each entity as one
/// committed version. Either a personality or a user persona speaks.
/// </summary>
public sealed record PromptMaterial
{
    public required UserSide Me { get; init; }

    /// <summary>Missing only where an override covers it and nobody asked for it.</summary>
    public PersonaView? DefaultPersona { get; init; }

    /// <summary>The persona that the user's override for this personality names, if it still exists.</summary>
    public PersonaView? OverridePersona { get; init; }

    public OverrideView? Override { get; init; }

    public PersonalityView? Personality { get; init; }

    public UserPersonaView? UserPersona { get; init; }

    public required CatalogueExcerpt Catalogue { get; init; }

    /// <summary>Whether a focus mode was asked for; it is in the catalogue's excerpt.</summary>
    public bool WithFocusMode { get; init; }

    public SettingsTier TenantSettings { get; init; } = SettingsTier.Empty;

    public SettingsTier ChannelSettings { get; init; } = SettingsTier.Empty;

    /// <summary>Text of the mindscape overlay, if one was asked for.</summary>
    public string? Mindscape { get; init; }

    public IReadOnlyDictionary<string, string>? Variables { get; init; }

    /// <summary>The speaker's, if it has one.</summary>
    public SpeakerShelf? Shelf { get; init; }

    public Choice<PersonaView> ChoosePersona() =>
        Choice<PersonaView>.FirstOf((Source.Override, OverridePersona), (Source.UserDefault, DefaultPersona));

    /// <summary>A user persona is a prompt of its own: the tenant's text stands before it only where a focus mode was asked for.</summary>
    public Choice<SystemPromptView> ChooseSystemPrompt() => Personality is null && !WithFocusMode
        ? default
        : Choice<SystemPromptView>.FirstOf(
            (Source.Personality, Personality?.SystemPromptId is null ? null : Catalogue.SystemPrompt),
            (Source.TenantDefault, Catalogue.DefaultSystemPrompt));

    public PatternParts Parts(Choice<SystemPromptView> systemPrompt) =>
        new(Personality, UserPersona, systemPrompt, WithFocusMode ? Catalogue.FocusMode : null);

    public TermTiers Tiers() => new(
        FindConfig(Override?.LlmConfigId),
        WithFocusMode ? Catalogue.FocusMode : null,
        FindConfig(Me.DefaultLlmConfig),
        FindConfig(Personality?.DefaultLlmConfigId),
        (Me.IsFree ? Catalogue.FreeDefaultLlmConfig : null) ?? Catalogue.DefaultLlmConfig,
        TenantSettings,
        Personality?.Settings ?? SettingsTier.Empty,
        ChannelSettings,
        Me.Settings,
        Override?.Settings ?? SettingsTier.Empty);

    /// <summary>The user's own, or a global one. Somebody else's is as if it didn't exist.</summary>
    private LlmConfigView? FindConfig(Guid? id)
    {
        if (id is null)
        {
            return null;
        }

        return Find(Me.LlmConfigs, id.Value) ?? Find(Catalogue.LlmConfigs, id.Value);
    }

    private static LlmConfigView? Find(IReadOnlyList<LlmConfigView> configs, Guid id)
    {
        for (var i = 0; i < configs.Count; i++)
        {
            if (configs[i].Id == id)
            {
                return configs[i];
            }
        }

        return null;
    }
}
