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

    /// <summary>A user's all went in the same transaction as the user; their grains may not know it yet.</summary>
    public void Withdraw(Guid? tenant, string stream)
    {
        foreach (var relay in Leaning(tenant, stream))
        {
            relay.Withdraw();
        }
    }

    public void AccessChanged(Guid? tenant, string stream)
    {
        foreach (var relay in Leaning(tenant, stream))
        {
            _ = relay.Safely(static lost => lost.Recheck());
        }
    }

    public void Hinted(Guid? tenant, string stream)
    {
        lock (_lock)
        {
            if (!_relays.ContainsKey((tenant, stream)))
            {
                return;
            }

            _hinted.Add((tenant, stream));
        }

        AccessChanged(tenant, stream);
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
            AccessChanged(tenant, stream);
        }
    }

    private StreamRelay[] Leaning(Guid? tenant, string stream)
    {
        lock (_lock)
        {
            return _relays.TryGetValue((tenant, stream), out var relays) ? [.. relays] : [];
        }
    }
}
