using System.Text.Json;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>The tiers that LLM parameters and settings are merged from.</summary>
/// <param name="TenantConfig">Its default, or its default for free users.</param>
public readonly record struct TermTiers(
    LlmConfigView? OverrideConfig,
    FocusModeView? FocusMode,
    LlmConfigView? UserConfig,
    LlmConfigView? PersonalityConfig,
    LlmConfigView? TenantConfig,
    SettingsTier Tenant,
    SettingsTier Personality,
    SettingsTier Channel,
    SettingsTier User,
    SettingsTier UserPersonality)
{
    public LlmMerge MergeLlm() => LlmMerge.Of(
        new LlmTier(Source.Override, OverrideConfig),
        LlmMerge.OfFocusMode(FocusMode),
        new LlmTier(Source.UserDefault, UserConfig),
        new LlmTier(Source.Personality, PersonalityConfig),
        new LlmTier(Source.TenantDefault, TenantConfig));

    public SettingsCascade MergeSettings() => SettingsCascade.Of(
        new TierOfSettings(Source.Tenant, Tenant),
        new TierOfSettings(Source.Personality, Personality),
        new TierOfSettings(Source.Channel, Channel),
        new TierOfSettings(Source.User, User),
        new TierOfSettings(Source.UserPersonality, UserPersonality));

    /// <summary>Whether it is the very same: configs as the same objects, which a change replaces.</summary>
    public bool IsSameAs(in TermTiers other) =>
        ReferenceEquals(OverrideConfig, other.OverrideConfig) && ReferenceEquals(FocusMode, other.FocusMode)
        && ReferenceEquals(UserConfig, other.UserConfig) && ReferenceEquals(PersonalityConfig, other.PersonalityConfig)
        && ReferenceEquals(TenantConfig, other.TenantConfig) && Tenant == other.Tenant && Personality == other.Personality
        && Channel == other.Channel && User == other.User && UserPersonality == other.UserPersonality;
}

/// <summary>
/// LLM parameters and settings of a prompt, merged, with what every answer says of them. Users who want nothing of their own
/// with a personality share them.
/// </summary>
public sealed class PromptTerms
{
    private readonly TermTiers _tiers;

    /// <summary>By <see cref="PromptFormat"/>: members of a JSON object, without its braces.</summary>
    private readonly byte[]?[] _members = new byte[]?[3];

    internal PromptTerms(TermTiers tiers)
    {
        _tiers = tiers;
        Llm = tiers.MergeLlm();
        Settings = tiers.MergeSettings();
        Digest = PromptVersion.Digest(Llm, Settings);
        BeforePersona = NativeAnswer.BeforePersona(Llm);
        BehindSpeaker = NativeAnswer.BehindSpeaker(Llm, Settings);
    }

    public LlmMerge Llm { get; }

    public SettingsCascade Settings { get; }

    /// <summary>Stands for all of it in the prompt's version.</summary>
    internal UInt128 Digest { get; }

    /// <summary>Their places in the native answer.</summary>
    internal byte[] BeforePersona { get; }

    internal byte[] BehindSpeaker { get; }

    internal bool IsOf(in TermTiers tiers) => _tiers.IsSameAs(tiers);

    /// <summary>The members of an upstream's body, without its braces.</summary>
    internal byte[] Members(PromptFormat format) => _members[(int)format] ??= Scratch.ToJson(json =>
    {
        json.WriteStartObject();
        if (format == PromptFormat.Openai)
        {
            LlmBodies.WriteOpenAi(json, Llm);
        }
        else
        {
            LlmBodies.WriteAnthropic(json, Llm);
        }

        json.WriteEndObject();
    })[1..^1];
}
