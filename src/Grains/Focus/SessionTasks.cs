using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Focus;

/// <summary>Which session of whom.</summary>
public sealed record SessionTask(Guid Person, Guid Session)
{
    public static async Task Note(IGrainFactory grains, OutboxTask task, Func<ICompanionGrain, FocusSessionView, Task> note)
    {
        var what = task.Payload.Read<SessionTask>();
        if (await grains.Of<IFocusSessionGrain>(new OwnedKey(task.Tenant, what.Person, what.Session)).Get() is { } session)
        {
            await note(grains.Of<ICompanionGrain>(new TenantScopedKey(task.Tenant, what.Person)), session.Value);
        }
    }
}

/// <summary>A session began: the person's companion is told, even if whoever began it died right after.</summary>
public sealed class SessionStartedTask(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "focus.started";

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        SessionTask.Note(grains, task, static (companion, session) => companion.NoteStarted(session));
}

/// <summary>A session ended: habit and memory follow from the committed end, whoever brought it on.</summary>
public sealed class SessionEndedTask(IGrainFactory grains) : IOutboxTaskHandler
{
    public const string Kind = "focus.ended";

    string IOutboxTaskHandler.Kind => Kind;

    public Task Handle(OutboxTask task, CancellationToken cancel) =>
        SessionTask.Note(grains, task, static (companion, session) => companion.NoteEnded(session));
}
