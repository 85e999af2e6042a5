using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Personas;

/// <summary>One persona of a user. Key: <see cref="OwnedKey"/>. The only one that changes it; its owner's grain makes and deletes it.</summary>
[Alias("persona")]
public interface IPersonaGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<PersonaView>> Grant(SiloAddress holder);

    /// <summary>Interleaves, as <see cref="Snapshot"/> does.</summary>
    [Alias("get"), AlwaysInterleave]
    Task<Read<PersonaView>?> Get();

    [Alias("update")]
    Task<Outcome<PersonaView>> Update(Command command, PersonaChange change);

    /// <summary>
    /// The owner's grain has deleted the persona: what is in memory goes too. Doesn't interleave, so that a change that was
    /// under way comes first and can't put back what it had computed.
    /// </summary>
    [Alias("forget")]
    Task Forget();
}
