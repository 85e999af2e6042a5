using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Personas;

/// <summary>One persona of a user. Key: <see cref="OwnedKey"/>. The only one that changes it; its owner's grain makes and deletes it.</summary>
[Alias("persona")]
public interface IPersonaGrain : IGrainWithStringKey
{
    /// <summary>Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("snapshot"), AlwaysInterleave]
    ValueTask<Snapshot<PersonaView>> Snapshot(long knownVersion);
}
