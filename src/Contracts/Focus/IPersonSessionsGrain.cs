namespace PersonaActors.Contracts.Focus;

/// <summary>
/// The focus sessions of one person. Key: <see cref="TenantScopedKey"/>. They begin and are ended through it, so that of two
/// starts at once one waits for the other. It writes nothing itself: a session is its own grain's, what follows from it for
/// the person the companion's. It calls both, a session asks the companion, and nobody calls back.
/// </summary>
[Alias("person-sessions")]
public interface IPersonSessionsGrain : IGrainWithStringKey
{
    /// <summary>The person's live session, if there is one. Interleaves: sessions begin here and end for good in their own grain, which is asked.</summary>
    [Alias("live"), AlwaysInterleave]
    ValueTask<FocusSessionView?> Live();

    [Alias("start")]
    Task<Outcome<FocusSessionView>> Start(Command command, FocusStart start);

    /// <summary>Ends a session, and has it taken into habit and memory before it answers.</summary>
    [Alias("end")]
    Task<Outcome<FocusSessionView>> End(Command command, Guid session, SessionEnd end);

    /// <summary>Has the companion look whether something is due to a person who is in no session.</summary>
    [Alias("look-ahead")]
    Task LookAhead();
}
