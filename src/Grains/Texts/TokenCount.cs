using Microsoft.ML.Tokenizers;

namespace PersonaActors.Grains.Texts;

/// <summary>How many tokens a text is worth, by the vocabulary of current models: near enough for those of others.</summary>
public static class TokenCount
{
    /// <summary>Whoever carries a message to a model adds so much around it.</summary>
    public const int AroundMessage = 4;

    /// <summary>Read when the first text is counted: it takes half a second, and memory that a node without conversations can do without.</summary>
    private static readonly Lazy<Tokenizer> O200k = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    /// <summary>What it costs to count a word grows with the square of its length, so none is longer than this: seconds for one of 32,000 letters.</summary>
    private const int LongestPart = 512;

    public static int Of(string text)
    {
        var (count, from) = (0, 0);
        while (from < text.Length)
        {
            var to = End(text, from);
            count += O200k.Value.CountTokens(text.AsSpan(from, to - from));
            from = to;
        }

        return count;
    }

    /// <summary>Before a space where there is one, since a token begins with it, and never within a character.</summary>
    private static int End(string text, int from)
    {
        var to = from + LongestPart;
        if (to >= text.Length)
        {
            return text.Length;
        }

        var space = text.LastIndexOf(' ', to, LongestPart);
        return space > from ? space : char.IsLowSurrogate(text[to]) ? to - 1 : to;
    }
}
