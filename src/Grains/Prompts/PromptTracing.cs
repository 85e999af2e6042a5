using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>From a resolved prompt to what it is made of: the same things that its version is a hash of.</summary>
public static class PromptTracing
{
    public static PromptTrace Trace(this ResolvedPrompt resolved)
    {
        var persona = resolved.Persona.Value!;
        var parts = new List<PromptPart> { new("persona", resolved.Persona.From, persona.Id, persona.Version) };
        if (resolved.Material.Personality is { } personality)
        {
            parts.Add(new PromptPart("personality", null, personality.Id, personality.Version));
        }

        if (resolved.Material.UserPersona is { } userPersona)
        {
            parts.Add(new PromptPart("userPersona", null, userPersona.Id, userPersona.Version));
        }

        if (resolved.SystemPrompt is { Value: { } prompt, From: var from })
        {
            parts.Add(new PromptPart("systemPrompt", from, prompt.Id, prompt.Version));
        }

        if (resolved.Material is { WithFocusMode: true, Catalogue.FocusMode: { } mode })
        {
            parts.Add(new PromptPart("focusMode", null, mode.Id, mode.Version));
        }

        parts.AddRange(resolved.Llm.Chosen.Select(choice =>
            new PromptPart($"llm.{choice.Field.Name}", choice.From.Name, choice.From.Config!.Id, choice.From.Config.Version)));
        var values = JsonText.From(resolved.Settings.Effective).Read<Dictionary<string, JsonText>>();
        parts.AddRange(resolved.Settings.Sources().Select(setting => new PromptPart($"settings.{setting.Field}", setting.From, null, null, values[setting.Field])));
        return new PromptTrace(resolved.Version, persona.Id, parts.ToItems());
    }
}
