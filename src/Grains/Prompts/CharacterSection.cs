using System.Runtime.CompilerServices;
using PersonaActors.Contracts.Personalities;

namespace PersonaActors.Grains.Prompts;

/// <summary>What prompts say of a personality, made once for each of its versions and shared by everybody's prompts.</summary>
internal sealed class CharacterSection
{
    private static readonly ConditionalWeakTable<PersonalityView, CharacterSection> Known = [];

    private readonly Section _section;

    private CharacterSection(PersonalityView character)
    {
        Name = new Piece(character.DisplayName);
        var section = new Section.Builder("character", Name);
        section.Verbatim("name", character.DisplayName);
        section.Field("info", character.CharacterInfo);
        section.Field("traits", character.PersonalityTraits);
        section.Field("tone", character.Tone);
        section.Field("age", character.Age);
        section.Field("appearance", character.Appearance);
        section.Field("likes", character.Likes);
        section.Field("dislikes", character.Dislikes);
        section.Field("goals", character.ConversationalGoals);
        section.Field("examples", character.ConversationalExamples);
        _section = section.Build();
    }

    /// <summary>What <c>{{char}}</c> stands for.</summary>
    public Piece Name { get; }

    public bool NeedsTime => _section.NeedsTime;

    public static CharacterSection Of(PersonalityView character) => Known.GetValue(character, static character => new CharacterSection(character));

    internal Gap Gaps => _section.Gaps;

    internal int Length => _section.Length;

    internal void AddTo(StencilBuilder stencil) => _section.AddTo(stencil);

    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values) => _section.Write(output, form, values);
}
