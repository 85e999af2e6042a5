using Microsoft.Extensions.Caching.Memory;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

public enum SearchMode
{
    Hybrid,
    Vector,
    Words,
}

public enum FoundBy
{
    Vector,
    Words,
    Both,
}

/// <param name="MinSimilarity">On the scale of thresholds. Where it isn't given, what is found by its vector is near enough by default, and what both have a say in is whatever ranks first.</param>
public sealed record NarrativeAsked(string Query, SearchMode Mode, int Limit, double? MinSimilarity, IReadOnlyList<NarrativeType>? Types);

/// <param name="Similarity">None where it has no vector yet.</param>
public sealed record NarrativeFound(NarrativeView Narrative, double? Similarity, FoundBy FoundBy);

/// <param name="Mode">As it was done: by words alone, if the query couldn't be embedded.</param>
public sealed record NarrativesFound(SearchMode Mode, IReadOnlyList<NarrativeFound> Results);

/// <summary>What somebody said that is near to a question, by meaning and by words: the same for who asks and for rules.</summary>
public sealed class NarrativeSearch(IEmbedder embedder, NarrativeSearchStore store) : IDisposable
{
    private const int ScoreDigits = 6;
    private const int MaxExcerpt = 500;

    // Rules ask the same again and again. So many vectors are 6 MB.
    private readonly MemoryCache _asked = new(new MemoryCacheOptions { SizeLimit = 1000 });

    public async Task<NarrativesFound> Find(Guid tenant, Guid person, NarrativeAsked asked, CancellationToken cancel)
    {
        var vector = asked.Mode == SearchMode.Words ? null : await VectorOf(asked.Query, cancel);
        var mode = vector is null ? SearchMode.Words : asked.Mode;
        var least = asked.MinSimilarity ?? (mode == SearchMode.Vector ? SimilarityScale.DefaultThreshold : 0);
        var query = new NarrativeQuery(vector, mode == SearchMode.Vector ? null : asked.Query, NarrativeRules.Said(asked.Query), embedder.Scale.Cosine(least), asked.Types, asked.Limit);
        var found = await store.Find(tenant, person, query, cancel);
        return new NarrativesFound(mode, found.ConvertAll(one => new NarrativeFound(
            one.Narrative, one.Cosine is { } cosine ? Math.Round(embedder.Scale.Score(cosine), ScoreDigits) : null,
            one is { ByVector: true, ByWords: true } ? FoundBy.Both : one.ByVector ? FoundBy.Vector : FoundBy.Words)));
    }

    /// <summary>What the person said that is near to what rules ask.</summary>
    public async Task<IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>> Near(Guid tenant, Guid person, IEnumerable<NarrativeCheck> checks, CancellationToken cancel)
    {
        var near = new Dictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>();
        foreach (var check in checks)
        {
            var asked = new NarrativeAsked(check.Query, SearchMode.Vector, check.Limit, check.Threshold, check.Type is { } type ? [type] : null);
            var found = await Find(tenant, person, asked, cancel);
            // What words alone find is near by no measure.
            near[check] = [.. found.Results.Where(one => one.Similarity is not null)
                .Select(one => new NearNarrative(one.Narrative.Id, Text.Excerpt(one.Narrative.Text, MaxExcerpt), one.Similarity!.Value, one.Narrative.Source))];
        }

        return near;
    }

    public async Task<TextVector?> VectorOf(string query, CancellationToken cancel)
    {
        if (_asked.TryGetValue<TextVector>(query, out var known))
        {
            return known;
        }

        return await embedder.VectorOrNone(EmbeddingKind.Query, query, cancel) is { } made ? _asked.Set(query, made, new MemoryCacheEntryOptions { Size = 1 }) : null;
    }

    public void Dispose() => _asked.Dispose();
}
