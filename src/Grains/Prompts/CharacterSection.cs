using System.Runtime.CompilerServices;
using System.Text;
using PersonaActors.Contracts.Personalities;

namespace PersonaActors.Grains.Prompts;

/// <summary>What prompts say of a personality, made once for each of its versions and shared by everybody's prompts.</summary>
internal sealed class CharacterSection
{
    private static readonly ConditionalWeakTable<PersonalityView, CharacterSection> Known = [];

    private readonly List<Part> _parts = [];

    /// <summary>One of the two: text that is the same for everybody, or a field with placeholders.</summary>
    private readonly record struct Part(Piece? Shared, Template? Filled);

    private CharacterSection(PersonalityView character)
    {
        var shared = new StringBuilder("<character>\n");
        var needsTime = false;
        Name = new Piece(character.DisplayName);
        Element("name", ProtectedTags.Escape(character.DisplayName));
        Field("info", character.CharacterInfo);
        Field("traits", character.PersonalityTraits);
        Field("tone", character.Tone);
        Field("age", character.Age);
        Field("appearance", character.Appearance);
        Field("likes", character.Likes);
        Field("dislikes", character.Dislikes);
        Field("goals", character.ConversationalGoals);
        Field("examples", character.ConversationalExamples);
        shared.Append("</character>");
        _parts.Add(new Part(new Piece(shared.ToString()), null));
        NeedsTime = needsTime;

        // A name is what it is: placeholders in it are not looked at, since it is itself what they stand for.
        void Element(string tag, string? text)
        {
            if (!string.IsNullOrWhiteSpace(text))
            {
                shared.Append('<').Append(tag).Append('>').Append(text).Append("</").Append(tag).Append(">\n");
            }
        }

        void Field(string tag, string? text)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                return;
            }

            if (!text.Contains('{', StringComparison.Ordinal))
            {
                Element(tag, ProtectedTags.Escape(text));
                return;
            }

            var template = new Template(text, Author.Anyone).Naming(Name);
            needsTime |= template.NeedsTime;
            _parts.Add(new Part(new Piece(shared.Append('<').Append(tag).Append('>').ToString()), null));
            _parts.Add(new Part(null, template));
            shared.Clear().Append("</").Append(tag).Append(">\n");
        }
    }

    /// <summary>What <c>{{char}}</c> stands for.</summary>
    public Piece Name { get; }

    public bool NeedsTime { get; }

    public static CharacterSection Of(PersonalityView character) => Known.GetValue(character, static character => new CharacterSection(character));

    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        foreach (var (shared, filled) in _parts)
        {
            if (shared is not null)
            {
                output.Share(shared.In(form));
            }

            filled?.Write(output, form, values);
        }
    }
}
