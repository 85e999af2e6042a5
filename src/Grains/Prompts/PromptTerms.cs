using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Grains.Prompts;

/// <summary>LLM parameters and settings of a prompt: alike for all users who want nothing of their own with a speaker.</summary>
public sealed class PromptTerms
{
    public PromptTerms(PromptMaterial material)
    {
        Llm = new Merge<LlmConfigView>(LlmField.All, material.LlmTiers);
        Settings = new Merge<SettingsTier>(SettingField.All, material.SettingsTiers);
        Parts =
        [
            .. Llm.Chosen.Select(choice => new PromptPart($"llm.{choice.Field.Name}", choice.From.Name, choice.From.Says!.Id, choice.From.Says.Version, null, ResolvedPrompt.SaysOf(choice.Value))),
            .. Settings.Chosen.Select(choice => new PromptPart($"settings.{choice.Field.Name}", choice.From.Name, null, null, JsonText.From(choice.Value))),
        ];
        Digest = ResolvedPrompt.DigestOf(Parts);
        ShowsFocus = Settings[SettingField.FocusOverlay] is true;
        ShowsMindscape = Settings[SettingField.MindscapeOverlay] is true;
    }

    public Merge<LlmConfigView> Llm { get; }

    public Merge<SettingsTier> Settings { get; }

    /// <summary>An active focus session belongs into the current state.</summary>
    public bool ShowsFocus { get; }

    public bool ShowsMindscape { get; }

    internal IReadOnlyList<PromptPart> Parts { get; }

    internal UInt128 Digest { get; }
}
