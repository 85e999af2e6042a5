using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Personalities;

/// <summary>One AI character. Key: <see cref="TenantScopedKey"/>. The only writer of it, its owners, its aliases and its default LLM config.</summary>
[Alias("personality")]
public interface IPersonalityGrain : IGrainWithStringKey
{
    /// <summary>Resolves of all its users ask this, so it interleaves: it reads one reference to the last committed state.</summary>
    [Alias("snapshot"), AlwaysInterleave]
    ValueTask<Snapshot<PersonalityView>> Snapshot(long knownVersion);
}
