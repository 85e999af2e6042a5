using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Prompts;

/// <summary>Material, merged: what every format of the answer is written from. Holds nothing of a single request.</summary>
public sealed class ResolvedPrompt
{
    private ResolvedPrompt(PromptMaterial material)
    {
        Terms = material.Terms();
        Material = Settings.ShowsMindscape || material.Mindscape is null ? material : material with { Mindscape = null };
        Persona = material.ChoosePersona();
        SystemPrompt = material.ChooseSystemPrompt();
        Front = new PromptFront(Material, Persona.Value!, SystemPrompt.Value?.Content);
        Version = PromptVersion.Of(this);
    }

    public PromptMaterial Material { get; }

    public Choice<PersonaView> Persona { get; }

    public Choice<SystemPromptView> SystemPrompt { get; }

    public PromptTerms Terms { get; }

    public LlmMerge Llm => Terms.Llm;

    public SettingsCascade Settings => Terms.Settings;

    public PromptFront Front { get; }

    public string Version { get; }

    public static ResolvedPrompt Of(PromptMaterial material) => new(material);
}
