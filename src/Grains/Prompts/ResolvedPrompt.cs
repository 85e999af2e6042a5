using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Prompts;

/// <summary>Material, merged: what every format of the answer is written from. Holds nothing of a single request.</summary>
public sealed class ResolvedPrompt
{
    public required PromptMaterial Material { get; init; }

    public required Choice<PersonaView> Persona { get; init; }

    public required Choice<SystemPromptView> SystemPrompt { get; init; }

    public required LlmMerge Llm { get; init; }

    public required SettingsCascade Settings { get; init; }

    public required PromptFront Front { get; init; }

    public required string Version { get; init; }

    public static ResolvedPrompt Of(PromptMaterial material)
    {
        var llm = material.MergeLlm();
        var settings = material.MergeSettings();
        if (!settings.ShowsMindscape && material.Mindscape is not null)
        {
            material = material with { Mindscape = null };
        }

        return new ResolvedPrompt
        {
            Material = material,
            Persona = material.ChoosePersona(),
            SystemPrompt = material.ChooseSystemPrompt(),
            Llm = llm,
            Settings = settings,
            Front = PromptFront.Build(material),
            Version = PromptVersion.Of(material, llm, settings),
        };
    }
}
