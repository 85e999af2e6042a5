using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.UserPersonas;

/// <summary>One AI assistant of a user. Key: <see cref="TenantScopedKey"/>. Its only writer, its usage included.</summary>
[Alias("user-persona")]
public interface IUserPersonaGrain : IGrainWithStringKey
{
    /// <summary>Interleaves: it reads one reference to the last committed state. Usage alone doesn't move the version.</summary>
    [Alias("snapshot"), AlwaysInterleave]
    ValueTask<Snapshot<UserPersonaView>> Snapshot(long knownVersion);
}
