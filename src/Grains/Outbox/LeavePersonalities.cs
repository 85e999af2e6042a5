using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>
/// The user's grain tells each personality and each channel itself that its user is gone. A crash may keep it from that; then this does, a
/// while later, and finds nothing to do otherwise. When none knows the user any more, neither does the log: what the streams
/// of the tenant and of others' characters say of the user goes.
/// </summary>
public sealed class LeavePersonalities(IGrainFactory grains, LogKeeper log) : IOutboxTaskHandler
{
    public const string Kind = "user.leave";

    public static readonly TimeSpan After = TimeSpan.FromSeconds(5);

    public sealed record Payload(Guid User, Dictionary<Guid, PersonalityRole> Personalities, IReadOnlyList<string>? Channels);

    string IOutboxTaskHandler.Kind => Kind;

    public async Task Handle(OutboxTask task, CancellationToken cancel)
    {
        var (user, personalities, channels) = task.Payload.Read<Payload>();
        foreach (var (id, role) in personalities)
        {
            await grains.Of<IPersonalityGrain>(new TenantScopedKey(task.Tenant, id)).Forget(new PersonalityOwner(user, role), mayKnow: true);
        }

        foreach (var channel in channels ?? [])
        {
            await grains.Of<IChannelGrain>(new ChannelKey(task.Tenant, channel)).ForgetUser(user);
        }

        await log.EraseMentions(task.Tenant, user, cancel);
    }
}
