namespace PersonaActors.Grains.Prompts;

/// <summary>
/// A text with gaps, in one form. What stands between them lies side by side in one array, so that who writes it walks
/// through memory once instead of from piece to piece.
/// </summary>
internal sealed class Stencil(byte[] text, (int At, Gap Gap)[] gaps)
{
    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        var from = 0;
        foreach (var (at, gap) in gaps)
        {
            output.Share(text, from, at - from);
            output.Share(values.Of(gap).In(form));
            from = at;
        }

        output.Share(text, from, text.Length - from);
    }
}

internal sealed class StencilBuilder(TextForm form)
{
    private readonly PromptWriter _text = new();
    private readonly List<(int, Gap)> _gaps = [];

    public bool IsEmpty => _text.Length == 0 && _gaps.Count == 0;

    public void Add(string text) => _text.Write(form, text);

    public void Add(Gap gap) => _gaps.Add((_text.Length, gap));

    public Stencil Build() => new(_text.Written.ToArray(), [.. _gaps]);
}
