using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Grains.Embeddings;

public enum EmbeddingKind
{
    /// <summary>What is kept and found.</summary>
    Passage,

    /// <summary>What is asked. Goes before passages: somebody waits for it.</summary>
    Query,
}

/// <summary>
/// Makes of texts what their nearness is told by: <see cref="Embedding.Dimensions"/> floats of unit length for each, in order.
/// The same text makes the same, alone or among others.
/// </summary>
public interface IEmbedder
{
    /// <summary>Kept beside each vector: those of two models are never compared.</summary>
    string Model { get; }

    /// <summary>What the cosine of something asked and something kept means.</summary>
    SimilarityScale Scale { get; }

    /// <exception cref="EmbedderUnavailableException">Not now: the queue is full, the endpoint is away, the model can't be loaded.</exception>
    Task<IReadOnlyList<float[]>> Embed(EmbeddingKind kind, IReadOnlyList<string> texts, CancellationToken cancel);
}

/// <summary>Nothing can be embedded at the moment. What is kept is kept without, and gets its vector later.</summary>
public sealed class EmbedderUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

public static class Embedders
{
    public static async Task<float[]> Embed(this IEmbedder embedder, EmbeddingKind kind, string text, CancellationToken cancel) =>
        (await embedder.Embed(kind, [text], cancel))[0];

    public static async Task<TextVector> Vector(this IEmbedder embedder, EmbeddingKind kind, string text, CancellationToken cancel) =>
        new(embedder.Model, await embedder.Embed(kind, text, cancel));

    /// <summary>None while nothing can be embedded: nobody waits for that.</summary>
    public static async Task<TextVector?> VectorOrNone(this IEmbedder embedder, EmbeddingKind kind, string text, CancellationToken cancel)
    {
        try
        {
            return await embedder.Vector(kind, text, cancel);
        }
        catch (EmbedderUnavailableException)
        {
            return null;
        }
    }
}
