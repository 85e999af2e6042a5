namespace PersonaActors.Grains.Texts;

/// <summary>A line with no tags of ours in it, and what it costs.</summary>
public readonly record struct CountedLine(string Text, int Tokens)
{
    public static CountedLine Of(string text)
    {
        var safe = ProtectedTags.Escape(text);
        return new CountedLine(safe, TokenCount.Of($"{safe}\n"));
    }
}
