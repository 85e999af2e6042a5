using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>
/// What was deleted in the transaction of a user's grain, which tells those grains itself that they are about nothing any
/// more, and announces it. A crash, or a commit whose answer nobody heard, may keep it from that; then this does. Told
/// again, the end has no number: it is for those who withdraw what they hold, not for who reads the stream.
/// </summary>
public sealed class ForgetDeleted(IGrainFactory grains, EventFeed feed, Database database, Clock time) : IOutboxTaskHandler
{
    public const string Kind = "user.forget";

    /// <param name="IsGone">The user too, not only these.</param>
    public sealed record Payload(Guid User, bool IsGone, IReadOnlyList<Guid> Personas, IReadOnlyList<Guid> Assistants);

    string IOutboxTaskHandler.Kind => Kind;

    public async Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var (user, isGone, personas, assistants) = task.Payload.Read<Payload>();
        await Task.WhenAll(personas.Select(id => grains.Of<IPersonaGrain>(new OwnedKey(task.Tenant, user, id)).Forget()));
        await Task.WhenAll(assistants.Select(id => grains.Of<IUserPersonaGrain>(new TenantScopedKey(task.Tenant, id)).Forget()));
        if (isGone)
        {
            var key = new TenantScopedKey(task.Tenant, user);
            await Task.WhenAll(grains.Of<ICompanionGrain>(key).Forget(), grains.Of<IPersonSessionsGrain>(key).Forget(), grains.Of<IMindscapeGrain>(key).Forget());
        }

        StreamEvent End(string type, JsonText data) => new(StreamName.User(user), database.Epoch, 0, task.Id, type, time.GetUtcNow(), data);
        feed.Announce(task.Tenant, isGone
            ? [End(EventTypes.UserDeleted, JsonText.EmptyObject)]
            : [.. personas.Select(id => End(EventTypes.PersonaDeleted, JsonText.From(new { personaId = id })))]);
    }
}
