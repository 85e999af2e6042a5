namespace PersonaActors.Grains.Prompts;

/// <summary>What a text leaves open, and whether its own words ask for care whatever comes there.</summary>
[Flags]
internal enum Gap
{
    None = 0,
    User = 1,
    Char = 2,
    Persona = 4,
    Care = 8,
}

/// <summary>
/// A text with gaps that stands in prompt after prompt. It is written from a stencil; only where what comes into a gap could
/// make a tag together with what surrounds it, or where a request brings variables, it is filled with care.
/// </summary>
public abstract class GappedText
{
    /// <summary>A longer text isn't worth a copy for each speaker that it stands with.</summary>
    internal const int MostCopied = 8192;

    private Stencil? _plain;
    private Stencil? _json;

    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        if (values.Variables is not null || NeedsCare(values))
        {
            Fill(output, form, values);
            return;
        }

        var stencil = form == TextForm.Json ? _json ??= Cut(form) : _plain ??= Cut(form);
        stencil.Write(output, form, values);
    }

    internal abstract Gap Gaps { get; }

    internal abstract void AddTo(StencilBuilder stencil);

    internal abstract void Fill(PromptWriter output, TextForm form, in PlaceholderValues values);

    private bool NeedsCare(in PlaceholderValues values)
    {
        var gaps = Gaps;
        return (gaps & Gap.Care) != 0
            || ((gaps & Gap.User) != 0 && values.User.HasBracket)
            || ((gaps & Gap.Char) != 0 && values.Char.HasBracket)
            || ((gaps & Gap.Persona) != 0 && values.Persona.HasBracket);
    }

    private Stencil Cut(TextForm form)
    {
        var stencil = new StencilBuilder(form);
        AddTo(stencil);
        return stencil.Build();
    }
}
