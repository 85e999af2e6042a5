using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Catalogue;

/// <summary>System prompts, global LLM configs and focus modes of one tenant. Key: <see cref="TenantKey"/>. Their only writer.</summary>
[Alias("catalogue")]
public interface ICatalogueGrain : IGrainWithStringKey
{
    /// <summary>Everybody's resolves ask this, so it interleaves: it reads one reference to the last committed state.</summary>
    /// <param name="knownVersion">That of the excerpt which the asker has for the same question; -1 if none.</param>
    [Alias("excerpt"), AlwaysInterleave]
    ValueTask<Snapshot<CatalogueExcerpt>> Excerpt(long knownVersion, CatalogueQuestion question);
}
