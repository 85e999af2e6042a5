using System.Text;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Sections 1–5: system prompt, focus mode, character, user, mindscape. What stands here doesn't move between requests while
/// nothing changed, so that providers' prefix caches hit.
/// </summary>
public readonly struct PromptFront(ResolvedPrompt resolved)
{
    public const string Joint = "\n\n";

    /// <summary>Somewhere it points to "the time given below", so the current state has to give it.</summary>
    public bool NeedsTime => resolved.Pattern.NeedsTime || (resolved.Pattern.ShowsUser && resolved.PersonaSection.NeedsTime);

    public void Write(PromptWriter output, TextForm form)
    {
        var (pattern, persona, material) = (resolved.Pattern, resolved.PersonaSection, resolved.Material);
        var values = new PlaceholderValues(persona.Name, pattern.Name, persona.Content, material.Variables);
        var start = output.Length;
        pattern.Write(output, form, values);
        if (pattern.ShowsUser)
        {
            PromptPattern.Begin(output, form, start);
            persona.Write(output, form, values);
        }

        if (!string.IsNullOrWhiteSpace(material.Mindscape))
        {
            PromptPattern.Begin(output, form, start);
            output.Write(form, $"<mindscape>\n{ProtectedTags.Escape(material.Mindscape)}\n</mindscape>");
        }
    }

    public override string ToString()
    {
        var output = new PromptWriter();
        Write(output, TextForm.Plain);
        return Encoding.UTF8.GetString(output.ToText().ToArray());
    }
}
