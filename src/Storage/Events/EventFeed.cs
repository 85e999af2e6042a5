using System.Collections.Immutable;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage.Events;

/// <summary>Committed events of one tenant's stream, or of the system's where there is no tenant.</summary>
public readonly record struct Announcement(Guid? Tenant, StreamEvent Event);

/// <summary>
/// How an event leaves the grain that committed it: at once to whoever listens in this process (the gateway's pump),
/// and, where there are other processes, as a hint to them (see NotifySender). Listeners must not block and must not throw:
/// they run in the grain's turn.
/// </summary>
public sealed class EventFeed
{
    private ImmutableArray<Action<Announcement>> _listeners = [];
    private ImmutableArray<Action<EventHint>> _hintListeners = [];

    public void Listen(Action<Announcement> listener) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, added) => all.Add(added), listener);

    /// <summary>Hears that a stream moved in another process. What exactly happened only the log says.</summary>
    public void ListenToHints(Action<EventHint> listener) =>
        ImmutableInterlocked.Update(ref _hintListeners, static (all, added) => all.Add(added), listener);

    /// <summary>Called by whoever hears other processes.</summary>
    public void Hint(EventHint hint)
    {
        foreach (var listener in _hintListeners)
        {
            listener(hint);
        }
    }

    /// <summary>Called by a grain after its commit, once its own memory is true.</summary>
    public void Announce(Guid? tenant, IReadOnlyList<StreamEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
        {
            foreach (var listener in _listeners)
            {
                listener(new Announcement(tenant, events[i]));
            }
        }
    }
}
