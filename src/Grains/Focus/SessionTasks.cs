using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Focus;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Focus;

/// <summary>Which session of whom.</summary>
public sealed record SessionTask(Guid Person, Guid Session)
{
    /// <summary>From the table: the session's grain may not have heard yet that what asked for this is committed.</summary>
    public static async Task Note(
        IGrainFactory grains, FocusStore sessions, OutboxTask task, Func<ICompanionGrain, FocusSessionView, Task> note, CancellationToken cancel)
    {
        var what = task.Payload.Read<SessionTask>();
        if (await sessions.Find(task.Tenant, what.Person, what.Session, cancel) is { } session)
        {
            await note(grains.Of<ICompanionGrain>(new TenantScopedKey(task.Tenant, what.Person)), SessionState.From(session).View);
        }
    }
}

/// <summary>A session began: the person's companion is told, even if whoever began it died right after.</summary>
public sealed class SessionStartedTask(IGrainFactory grains, FocusStore sessions) : IOutboxTaskHandler
{
    public const string Kind = "focus.started";

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        SessionTask.Note(grains, sessions, task, static (companion, session) => companion.NoteStarted(session), cancel);
}

/// <summary>A session ended: habit and memory follow from the committed end, whoever brought it on.</summary>
public sealed class SessionEndedTask(IGrainFactory grains, FocusStore sessions) : IOutboxTaskHandler
{
    public const string Kind = "focus.ended";

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        SessionTask.Note(grains, sessions, task, static (companion, session) => companion.NoteEnded(session), cancel);
}
