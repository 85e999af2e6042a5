using System.Security.Cryptography;
using System.Text;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What tells one prompt from the next: a hash over the versions of all that went into sections 1–5, the LLM parameters and
/// the settings, and over where each came from. Equal versions mean equal bytes, so it is also the ETag.
/// </summary>
public static class PromptVersion
{
    /// <summary>Rises when the same material begins to give another text.</summary>
    private const int Rendering = 1;

    public static string Of(PromptMaterial material, LlmMerge llm, SettingsCascade settings)
    {
        var went = new StringBuilder(512);
        went.Append(Rendering).Append('\n');
        went.Append("user ").Append(material.User.Id).Append('\n');
        if (material.Personality is { } personality)
        {
            went.Append("personality ").Append(personality.Id).Append(' ').Append(personality.Version).Append('\n');
        }

        if (material.UserPersona is { } userPersona)
        {
            went.Append("user-persona ").Append(userPersona.Id).Append(' ').Append(userPersona.Version).Append('\n');
        }

        if (material.ChoosePersona() is { Value: { } persona, From: var personaFrom })
        {
            went.Append("persona ").Append(personaFrom).Append(' ').Append(persona.Id).Append(' ').Append(persona.Version).Append('\n');
        }

        if (material.ChooseSystemPrompt() is { Value: { } prompt, From: var promptFrom })
        {
            went.Append("system-prompt ").Append(promptFrom).Append(' ').Append(prompt.Id).Append(' ').Append(prompt.Version).Append('\n');
        }

        if (material.WithFocusMode && material.Catalogue.FocusMode is { } mode)
        {
            went.Append("focus-mode ").Append(mode.Id).Append(' ').Append(mode.Version).Append('\n');
        }

        foreach (var choice in llm.Chosen)
        {
            went.Append(choice.Field.Name).Append(' ').Append(choice.From.Name).Append(' ')
                .Append(choice.From.Config!.Id).Append(' ').Append(choice.From.Config.Version).Append('\n');
        }

        foreach (var (field, from) in settings.Sources())
        {
            went.Append(field).Append(' ').Append(from).Append('\n');
        }

        went.Append(settings.Effective).Append('\n');
        Append(went, "mindscape", material.Mindscape);
        foreach (var (name, value) in material.Variables?.OrderBy(variable => variable.Key, StringComparer.Ordinal) ?? Enumerable.Empty<KeyValuePair<string, string>>())
        {
            Append(went, name, value);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(went.ToString())).AsSpan(0, 16));
    }

    private static void Append(StringBuilder went, string name, string? text)
    {
        if (text is not null)
        {
            // With its length: no text can look like the next entry.
            went.Append(name).Append(' ').Append(text.Length).Append(' ').Append(text).Append('\n');
        }
    }
}
