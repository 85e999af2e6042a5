using System.Text;
using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Prompts;

/// <summary>What prompts say of a persona, made once for each of its versions and shared by all prompts of its user.</summary>
public sealed class PersonaSection
{
    private readonly Piece _begin;

    /// <summary>Its content, if it has placeholders; else that stands in the beginning.</summary>
    private readonly Template? _content;

    private readonly Piece? _end;

    public PersonaSection(PersonaView persona)
    {
        Of = persona;
        Name = new Piece(NameOf(persona));
        Content = new Piece(persona.Content);
        NeedsTime = Template.PointsToTime(persona.Content);
        Digest = PromptVersion.Digest(persona);
        Summary = Summarize(persona);

        var text = new StringBuilder("<user>\n<name>").Append(ProtectedTags.Escape(Name.Text)).Append("</name>\n");
        if (!string.IsNullOrWhiteSpace(persona.Pronouns))
        {
            text.Append("<pronouns>").Append(ProtectedTags.Escape(persona.Pronouns)).Append("</pronouns>\n");
        }

        if (!string.IsNullOrWhiteSpace(persona.Content))
        {
            text.Append("<about source=\"the user's own words\">");
            if (persona.Content.Contains('{', StringComparison.Ordinal))
            {
                _begin = new Piece(text.ToString());
                _content = new Template(persona.Content, Author.Anyone);
                _end = new Piece("</about>\n</user>");
                return;
            }

            text.Append(ProtectedTags.Escape(persona.Content)).Append("</about>\n");
        }

        _begin = new Piece(text.Append("</user>").ToString());
    }

    public PersonaView Of { get; }

    /// <summary>What <c>{{user}}</c> stands for.</summary>
    public Piece Name { get; }

    /// <summary>What <c>{{persona}}</c> stands for.</summary>
    public Piece Content { get; }

    public bool NeedsTime { get; }

    /// <summary>Stands for it in the prompt's version.</summary>
    internal UInt128 Digest { get; }

    /// <summary>The persona as the native answer names it: JSON.</summary>
    internal byte[] Summary { get; }

    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        output.Share(_begin.In(form));
        if (_content is not null)
        {
            _content.Write(output, form, values);
            output.Share(_end!.In(form));
        }
    }

    private static string NameOf(PersonaView persona) =>
        string.IsNullOrWhiteSpace(persona.PreferredName) ? persona.Name : persona.PreferredName;

    private static byte[] Summarize(PersonaView persona) => Scratch.ToJson(json =>
    {
        json.WriteStartObject();
        json.WriteString("id"u8, persona.Id);
        json.WriteString("name"u8, persona.Name);
        json.WriteString("preferredName"u8, persona.PreferredName);
        json.WriteString("pronouns"u8, persona.Pronouns);
        json.WriteNumber("version"u8, persona.Version);
        json.WriteEndObject();
    });
}
