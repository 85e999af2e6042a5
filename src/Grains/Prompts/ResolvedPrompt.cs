using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Prompts;

/// <summary>Material, merged: what every format of the answer is written from. Holds nothing of a single request.</summary>
public sealed class ResolvedPrompt
{
    private ResolvedPrompt(PromptMaterial material, PersonaSection? known)
    {
        var tiers = material.Tiers();
        Terms = material.Shelf?.Terms(tiers) ?? new PromptTerms(tiers);
        Material = Settings.ShowsMindscape || material.Mindscape is null ? material : material with { Mindscape = null };
        Persona = material.ChoosePersona();
        PersonaSection = ReferenceEquals(known?.Of, Persona.Value) ? known! : new PersonaSection(Persona.Value!);
        SystemPrompt = material.ChooseSystemPrompt();
        var parts = material.Parts(SystemPrompt);
        Pattern = material.Shelf?.Pattern(parts) ?? new PromptPattern(parts);
        Version = PromptVersion.Of(this);
    }

    public PromptMaterial Material { get; }

    public Choice<PersonaView> Persona { get; }

    public PersonaSection PersonaSection { get; }

    public Choice<SystemPromptView> SystemPrompt { get; }

    public PromptPattern Pattern { get; }

    public PromptTerms Terms { get; }

    public LlmMerge Llm => Terms.Llm;

    public SettingsCascade Settings => Terms.Settings;

    public PromptFront Front => new(this);

    public string Version { get; }

    /// <param name="known">The section of the persona, if it is known already.</param>
    public static ResolvedPrompt Of(PromptMaterial material, PersonaSection? known = null) => new(material, known);
}
