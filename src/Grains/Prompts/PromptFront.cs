using System.Text;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Grains.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Sections 1–5 as text: system prompt, focus mode, character, user, mindscape. What stands here doesn't move between
/// requests while nothing changed, so that providers' prefix caches hit.
/// </summary>
/// <param name="NeedsTime">Somewhere it points to "the time given below", so the current state has to give it.</param>
public readonly record struct PromptFront(string Text, bool NeedsTime)
{
    public const string Joint = "\n\n";

    public static PromptFront Build(PromptMaterial material)
    {
        var persona = material.ChoosePersona().Value!;
        var front = new Writer(new PlaceholderValues
        {
            User = NameOf(persona),
            Persona = persona.Content,
            Char = material.Personality?.DisplayName ?? material.UserPersona!.DisplayName ?? material.UserPersona.Name,
            Variables = material.Variables,
        });

        front.TenantsText(material.ChooseSystemPrompt().Value?.Content);
        front.TenantsText(material.WithFocusMode ? material.Catalogue.FocusMode?.SystemPrompt : null);
        if (material.Personality is { } personality)
        {
            front.Character(personality);
            front.User(persona);
        }
        else
        {
            front.Verbatim(UserPersonaText.Build(material.UserPersona!));
        }

        front.Mindscape(material.Mindscape);
        return front.ToFront();
    }

    public static string NameOf(PersonaView persona) =>
        string.IsNullOrWhiteSpace(persona.PreferredName) ? persona.Name : persona.PreferredName;

    private sealed class Writer(PlaceholderValues values)
    {
        private readonly StringBuilder _text = Scratch.Text();
        private bool _needsTime;

        public PromptFront ToFront() => new(_text.ToString(), _needsTime);

        public void Verbatim(string text)
        {
            Begin();
            _text.Append(text);
        }

        /// <summary>Written by the tenant, which may shape its prompt as it likes; what its placeholders bring in may not.</summary>
        public void TenantsText(string? text)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                return;
            }

            var filled = Placeholders.Fill(text, values);
            _needsTime |= filled.NeedsTime;
            Begin();
            _text.Append(ProtectedTags.Escape(filled.Text, filled.FromValues));
        }

        public void Character(PersonalityView character)
        {
            Begin();
            _text.Append("<character>\n");
            Value("name", character.DisplayName);
            Field("info", character.CharacterInfo);
            Field("traits", character.PersonalityTraits);
            Field("tone", character.Tone);
            Field("age", character.Age);
            Field("appearance", character.Appearance);
            Field("likes", character.Likes);
            Field("dislikes", character.Dislikes);
            Field("goals", character.ConversationalGoals);
            Field("examples", character.ConversationalExamples);
            _text.Append("</character>");
        }

        public void User(PersonaView persona)
        {
            Begin();
            _text.Append("<user>\n");
            Value("name", NameOf(persona));
            Value("pronouns", persona.Pronouns);
            Field("about", persona.Content, " source=\"the user's own words\"");
            _text.Append("</user>");
        }

        public void Mindscape(string? overlay)
        {
            if (string.IsNullOrWhiteSpace(overlay))
            {
                return;
            }

            Begin();
            _text.Append("<mindscape>\n").Append(ProtectedTags.Escape(overlay)).Append("\n</mindscape>");
        }

        /// <summary>A text whose placeholders are filled.</summary>
        private void Field(string tag, string? template, string attributes = "")
        {
            if (string.IsNullOrWhiteSpace(template))
            {
                return;
            }

            var filled = Placeholders.Fill(template, values);
            _needsTime |= filled.NeedsTime;
            Element(tag, filled.Text, attributes);
        }

        /// <summary>A name is what it is: placeholders in it are not looked at, since it is itself what they stand for.</summary>
        private void Value(string tag, string? value)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                Element(tag, value, "");
            }
        }

        private void Element(string tag, string text, string attributes) =>
            _text.Append('<').Append(tag).Append(attributes).Append('>').Append(ProtectedTags.Escape(text)).Append("</").Append(tag).Append(">\n");

        private void Begin()
        {
            if (_text.Length > 0)
            {
                _text.Append(Joint);
            }
        }
    }
}
