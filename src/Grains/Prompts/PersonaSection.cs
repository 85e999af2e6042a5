using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Prompts;

/// <summary>What prompts say of a persona, made once for each of its versions and shared by all prompts of its user.</summary>
public sealed class PersonaSection : GappedText
{
    private readonly Section _section;

    public PersonaSection(PersonaView persona)
    {
        Of = persona;
        Name = new Piece(string.IsNullOrWhiteSpace(persona.PreferredName) ? persona.Name : persona.PreferredName);
        Content = new Piece(persona.Content);
        Version = persona.Version;
        Digest = PromptVersion.Digest(persona);
        Json = NativeAnswer.JsonOf(persona);

        var section = new Section.Builder("user");
        section.Verbatim("name", Name.Text);
        section.Field("pronouns", persona.Pronouns);
        section.Field("about", persona.Content, " source=\"the user's own words\"");
        _section = section.Build();
        NeedsTime = _section.NeedsTime;
        Gaps = _section.Gaps;
    }

    public PersonaView Of { get; }

    public long Version { get; }

    /// <summary>What <c>{{user}}</c> stands for.</summary>
    public Piece Name { get; }

    /// <summary>What <c>{{persona}}</c> stands for.</summary>
    public Piece Content { get; }

    public bool NeedsTime { get; }

    /// <summary>Stands for it in the prompt's version.</summary>
    internal UInt128 Digest { get; }

    /// <summary>The persona as the native answer names it.</summary>
    internal byte[] Json { get; }

    internal override Gap Gaps { get; }

    internal override void AddTo(StencilBuilder stencil) => _section.AddTo(stencil);

    internal override void Fill(PromptWriter output, TextForm form, in PlaceholderValues values) => _section.Fill(output, form, values);
}
