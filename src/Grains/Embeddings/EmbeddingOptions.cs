namespace PersonaActors.Grains.Embeddings;

/// <summary>Where texts are embedded: in this process, or where an OpenAI-compatible endpoint is named, there.</summary>
public sealed record EmbeddingOptions
{
    /// <summary>How many processors the built-in encoder may use at once.</summary>
    public int Processors { get; init; } = 1;

    /// <summary>Whose `/embeddings` is asked.</summary>
    public Uri? Endpoint { get; init; }

    public string? Model { get; init; }

    public string? Key { get; init; }
}
