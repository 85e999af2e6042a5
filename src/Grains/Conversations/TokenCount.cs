using Microsoft.ML.Tokenizers;

namespace PersonaActors.Grains.Conversations;

/// <summary>How many tokens a text is worth, by the vocabulary of current models: near enough for those of others.</summary>
public static class TokenCount
{
    /// <summary>Whoever carries a message to a model adds so much around it.</summary>
    public const int AroundMessage = 4;

    /// <summary>Read when the first text is counted: it takes half a second, and memory that a node without conversations can do without.</summary>
    private static readonly Lazy<Tokenizer> O200k = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    public static int Of(string text) => text.Length == 0 ? 0 : O200k.Value.CountTokens(text);
}
