using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Replicas;

/// <summary>Makes each grain the owner of what its key names.</summary>
public sealed class Owners(EventFeed feed)
{
    /// <param name="stream">The grain's own, the only one it appends to; empty for one that appends nothing.</param>
    /// <param name="leave">What the grain does when another writer was first: it passes DeactivateOnIdle.</param>
    public Owner Of(Guid? tenant, string stream, Action leave) => new(feed, tenant, stream, leave);
}

/// <summary>How a grain commits: memory follows the commit and never runs ahead of it, and only what memory shows is announced.</summary>
public sealed class Owner(EventFeed feed, Guid? tenant, string stream, Action leave)
{
    /// <summary>Set when the grain is loaded, named by all that it commits.</summary>
    public OwnerEpoch Epoch { get; } = new(stream);

    /// <param name="assign">Takes the new state into memory, given the events with their numbers.</param>
    /// <param name="between">What has to be done before anybody sees the new state; it is seen also if this fails.</param>
    public async Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, Action<IReadOnlyList<StreamEvent>> assign, Func<Task>? between = null)
    {
        var events = await batch.Commit(leave);
        try
        {
            if (between is not null)
            {
                await between();
            }
        }
        finally
        {
            assign(events);
            feed.Announce(tenant, events);
        }

        return events;
    }
}
