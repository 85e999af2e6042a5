using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.UserPersonas;

/// <summary>One AI assistant of a user. Key: <see cref="TenantScopedKey"/>. Its only writer, its usage included.</summary>
[Alias("user-persona")]
public interface IUserPersonaGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<UserPersonaView>> Grant(SiloAddress holder);

    /// <summary>Interleaves, as <see cref="Snapshot"/> does. Whether the asker may see it, is the asker's to check.</summary>
    [Alias("get"), AlwaysInterleave]
    Task<Read<UserPersonaView>?> Get();

    [Alias("create")]
    Task<Outcome<UserPersonaView>> Create(Command command, Guid owner, UserPersonaDraft draft);

    /// <summary>Makes this one as a private copy of another that the owner-to-be may use.</summary>
    [Alias("create-copy")]
    Task<Outcome<UserPersonaView>> CreateCopy(Command command, Guid owner, Guid original);

    /// <param name="user">Who changes it: only the owner may.</param>
    [Alias("update")]
    Task<Outcome<UserPersonaView>> Update(Command command, Guid user, UserPersonaChange change);

    [Alias("delete")]
    Task<Outcome<Nothing>> Delete(Command command, Guid user);

    /// <summary>Logs a use and counts it, for who may use it.</summary>
    [Alias("use")]
    Task<Outcome<UserPersonaUsage>> Use(Command command, Guid user, UserPersonaUse use);

    /// <summary>It went with its owner: what is in memory goes too.</summary>
    [Alias("forget")]
    Task Forget();
}
