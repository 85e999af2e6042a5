using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Everything that one prompt is made of, but for the moment and the message: each entity as one committed version. Either a
/// personality or a user persona speaks.
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

    public required CatalogueState Catalogue { get; init; }

    /// <summary>If one was asked for.</summary>
    public FocusModeView? FocusMode { get; init; }

    public SettingsTier TenantSettings { get; init; } = SettingsTier.Empty;

    public SettingsTier ChannelSettings { get; init; } = SettingsTier.Empty;

    /// <summary>The focus session that the user began last, where the settings let it show.</summary>
    public FocusSessionView? Session { get; init; }

    /// <summary>What a mapper makes of what is known of the user, if one was asked for and the settings let it speak.</summary>
    public MindscapeOverlay? Mindscape { get; init; }

    public IReadOnlyDictionary<string, string>? Variables { get; init; }

    /// <summary>The whole object of the nearest tier that has one.</summary>
    public (PersonaView Persona, string From) Persona =>
        OverridePersona is { } chosen ? (chosen, Source.Override) : (DefaultPersona!, Source.UserDefault);

    public SystemPromptView? OwnSystemPrompt => Personality?.SystemPromptId is { } id ? Catalogue.SystemPrompts.GetValueOrDefault(id) : null;

    /// <summary>A user persona is a prompt of its own: the tenant's text stands before it only where a focus mode was asked for.</summary>
    public (SystemPromptView? Prompt, string? From) SystemPrompt =>
        Personality is null && FocusMode is null ? default
        : OwnSystemPrompt is { } own ? (own, Source.Personality)
        : Catalogue.DefaultSystemPrompt is { } common ? (common, Source.TenantDefault)
        : default;

    /// <summary>Nearest first.</summary>
    public IReadOnlyList<Tier<LlmConfigView>> LlmTiers =>
    [
        new(Source.Override, FindConfig(Override?.LlmConfigId)),
        new(Source.FocusMode, FocusMode is { DefaultModel: { } model } mode ? ModelOnly(mode, model) : null),
        new(Source.UserDefault, FindConfig(Me.DefaultLlmConfig)),
        new(Source.Personality, FindConfig(Personality?.DefaultLlmConfigId)),
        new(Source.TenantDefault, TenantConfig),
    ];

    /// <summary>Nearest first. What an LLM config says of memories stands behind the settings of whoever chose it.</summary>
    public IReadOnlyList<Tier<SettingsTier>> SettingsTiers =>
    [
        new(Source.UserPersonality, Override?.Settings ?? SettingsTier.Empty),
        new(Source.Override, SettingField.OfConfig(FindConfig(Override?.LlmConfigId))),
        new(Source.User, Me.Settings),
        new(Source.UserDefault, SettingField.OfConfig(FindConfig(Me.DefaultLlmConfig))),
        new(Source.Channel, ChannelSettings),
        new(Source.Personality, PersonalitySettings),
        new(Source.PersonalityDefault, SettingField.OfConfig(FindConfig(Personality?.DefaultLlmConfigId))),
        new(Source.Tenant, TenantSettings),
        new(Source.TenantDefault, SettingField.OfConfig(TenantConfig)),
        Personality is null ? SettingField.BuiltIn : SettingField.BuiltInOfPersonality,
    ];

    /// <summary>All that <see cref="SpeakerText"/> is made from.</summary>
    internal object?[] SpeakerSources => [Personality, UserPersona, SystemPrompt.Prompt, SystemPrompt.From, FocusMode];

    /// <summary>All that <see cref="PromptTerms"/> are made from.</summary>
    internal object?[] TermSources =>
    [
        FindConfig(Override?.LlmConfigId), FocusMode, FindConfig(Me.DefaultLlmConfig), FindConfig(Personality?.DefaultLlmConfigId), TenantConfig,
        Override?.Settings ?? SettingsTier.Empty, Me.Settings, ChannelSettings, PersonalitySettings, TenantSettings,
    ];

    private SettingsTier PersonalitySettings => Personality is null ? SettingsTier.Empty : SettingField.OfPersonality(Personality);

    private LlmConfigView? TenantConfig => (Me.IsFree ? Catalogue.FreeDefaultLlmConfig : null) ?? Catalogue.DefaultLlmConfig;

    /// <summary>The user's own, or a global one. Somebody else's is as if it didn't exist.</summary>
    private LlmConfigView? FindConfig(Guid? id) => id is null
        ? null
        : (Me.LlmConfigs.Count > 0 ? Me.LlmConfigs.FirstOrDefault(config => config.Id == id) : null) ?? Catalogue.LlmConfigs.GetValueOrDefault(id.Value);

    /// <summary>A focus mode speaks of the model only.</summary>
    private static LlmConfigView ModelOnly(FocusModeView mode, string model) => new(
        mode.Id, null, mode.ModeName, null, model, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        null, null, null, false, false, mode.Version, mode.CreatedAt, mode.UpdatedAt);
}
