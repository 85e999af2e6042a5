namespace PersonaActors.Gateway.Realtime;

/// <summary>One connection's place in one stream.</summary>
internal sealed class Subscription(EventConnection connection, StreamRelay relay, string stream)
{
    private volatile bool _ended;

    public EventConnection Connection => connection;

    public StreamRelay Relay => relay;

    public string Stream => stream;

    /// <summary>The number of the last event that was handed to the connection. Moved by its replay until it is live, then by the relay alone.</summary>
    public long Cursor { get; set; }

    /// <summary>The version of a derived stream that the client has.</summary>
    public string? Version { get; set; }

    /// <summary>Where it sees less of the stream than there is.</summary>
    public Guise? Guise { get; init; }

    public bool Ended => _ended;

    /// <summary>The user's being where the stream is about; over with the subscription.</summary>
    public IDisposable? Presence { get; set; }

    public void End()
    {
        _ended = true;
        Presence?.Dispose();
    }

    /// <summary>Hands over what of a batch the connection doesn't have yet.</summary>
    public void Send(EventBatch batch)
    {
        if (!_ended && batch.Last > Cursor)
        {
            connection.Send((Guise is { } guise ? batch.In(guise) : batch).After(Cursor));
            Cursor = batch.Last;
        }
    }
}
