using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Focus;

/// <summary>
/// The focus sessions of one person. Key: <see cref="TenantScopedKey"/>. They begin and are ended through it, so that of two
/// starts at once one waits for the other. It writes nothing itself: a session is its own grain's, what follows from it for
/// the person the companion's. It calls both, a session asks the companion, and nobody calls back.
/// </summary>
[Alias("person-sessions")]
public interface IPersonSessionsGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<BegunSession>> Grant(SiloAddress holder);

    [Alias("start")]
    Task<Outcome<FocusSessionView>> Start(Command command, FocusStart start);

    /// <summary>Ends a session, and has it taken into habit and memory before it answers.</summary>
    [Alias("end")]
    Task<Outcome<FocusSessionView>> End(Command command, Guid session, SessionEnd end);

    /// <summary>The person is gone, and their sessions with them. Interleaves, as the companion's does, and for the same reason.</summary>
    [Alias("forget"), AlwaysInterleave]
    Task Forget();

    /// <summary>Has the companion look whether something is due to a person who is in no session.</summary>
    [Alias("look-ahead")]
    Task LookAhead();
}
