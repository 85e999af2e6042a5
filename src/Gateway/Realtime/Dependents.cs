using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Streams that are lost by what happens on another one: a user's persona, sessions and assistants go with the user, the
/// presence at a thing with the thing. An event of this process says what ended; a hint of another's only that something
/// happened, so access is looked at again, and once more at the next check, when the grains have surely forgotten.
/// </summary>
internal sealed class Dependents
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid? Tenant, string Stream), HashSet<StreamRelay>> _relays = [];
    private readonly HashSet<(Guid? Tenant, string Stream)> _hinted = [];

    public void Add(StreamRelay relay, string? leansOn)
    {
        if (leansOn is null)
        {
            return;
        }

        lock (_lock)
        {
            relay.LeansOn = leansOn;
            if (!_relays.TryGetValue((relay.Tenant, leansOn), out var relays))
            {
                _relays[(relay.Tenant, leansOn)] = relays = [];
            }

            relays.Add(relay);
        }
    }

    public void Remove(StreamRelay relay)
    {
        lock (_lock)
        {
            if (relay.LeansOn is { } stream && _relays.TryGetValue((relay.Tenant, stream), out var relays) && relays.Remove(relay) && relays.Count == 0)
            {
                _relays.Remove((relay.Tenant, stream));
            }
        }
    }

    /// <summary>Called in the turn of the grain: what follows is done elsewhere.</summary>
    public void Announced(Announcement announced, bool changesAccess)
    {
        if (announced.Event.Type == "user.deleted")
        {
            // Everything of theirs went in the same transaction; their grains may not know it yet.
            Later(announced.Tenant, announced.Event.Stream, static relay =>
            {
                relay.Withdraw(static _ => true);
                return Task.CompletedTask;
            });
        }
        else if (changesAccess)
        {
            Later(announced.Tenant, announced.Event.Stream, static relay => relay.Recheck());
        }
    }

    public void Hinted(Guid? tenant, string stream)
    {
        if (Later(tenant, stream, static relay => relay.Recheck()))
        {
            lock (_lock)
            {
                _hinted.Add((tenant, stream));
            }
        }
    }

    /// <summary>The periodic check.</summary>
    public void CheckHinted()
    {
        (Guid? Tenant, string Stream)[] hinted;
        lock (_lock)
        {
            hinted = [.. _hinted];
            _hinted.Clear();
        }

        foreach (var (tenant, stream) in hinted)
        {
            Later(tenant, stream, static relay => relay.Recheck());
        }
    }

    private bool Later(Guid? tenant, string stream, Func<StreamRelay, Task> what)
    {
        StreamRelay[] leaning;
        lock (_lock)
        {
            if (!_relays.TryGetValue((tenant, stream), out var relays))
            {
                return false;
            }

            leaning = [.. relays];
        }

        foreach (var relay in leaning)
        {
            ThreadPool.QueueUserWorkItem(static state => _ = state.relay.Safely(state.what), (relay, what), preferLocal: false);
        }

        return true;
    }
}
