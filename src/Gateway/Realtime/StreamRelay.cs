namespace PersonaActors.Gateway.Realtime;

/// <summary>What one stream's subscribers share in this process. Made for the first of them, retired some time after the last.</summary>
internal abstract class StreamRelay(EventPump pump, Guid? tenant, string stream, StreamKind kind)
{
    private readonly HashSet<Subscription> _subscriptions = [];
    private bool _retired;
    private bool _wasIdle;

    protected Lock Sync { get; } = new();

    protected EventPump Pump => pump;

    public Guid? Tenant => tenant;

    public string Stream => stream;

    public StreamKind Kind => kind;

    /// <summary>The stream on which may be told that this one is lost; see <see cref="Dependents"/>, which sets it.</summary>
    public string? LeansOn { get; set; }

    /// <returns>Whether it is in; not if the relay was retired in this moment: there is a new one then.</returns>
    public bool Enter(Subscription subscription)
    {
        lock (Sync)
        {
            if (_retired)
            {
                return false;
            }

            _wasIdle = false;
            return _subscriptions.Add(subscription);
        }
    }

    public void Leave(Subscription subscription)
    {
        subscription.End();
        lock (Sync)
        {
            if (_subscriptions.Remove(subscription))
            {
                Left(subscription);
            }
        }
    }

    /// <returns>Whether nobody has been here since the last time this was asked; it is over then.</returns>
    public bool RetireIfIdle()
    {
        lock (Sync)
        {
            if (_retired)
            {
                return true;
            }

            _retired = _wasIdle && _subscriptions.Count == 0;
            _wasIdle = _subscriptions.Count == 0;
            if (_retired)
            {
                Retired();
            }

            return _retired;
        }
    }

    /// <summary>Over at once: whoever comes gets a new one.</summary>
    public void Retire()
    {
        lock (Sync)
        {
            if (!_retired)
            {
                _retired = true;
                Retired();
            }
        }
    }

    public Subscription[] Subscriptions()
    {
        lock (Sync)
        {
            return [.. _subscriptions];
        }
    }

    /// <summary>
    /// Looks at every subscriber again as at subscribe. Who may not see the stream any more, or sees more or less of it than
    /// before, loses it and is told; who subscribes again gets what there is to see now.
    /// </summary>
    public async Task Recheck()
    {
        foreach (var subscription in Subscriptions())
        {
            try
            {
                if (await pump.Look(subscription.Connection.Acting, stream) is not var (_, sight) || sight.Guise != subscription.Guise)
                {
                    Withdraw(subscription);
                }
            }
            catch (Exception e) when (e is StorageUnavailableException or TimeoutException)
            {
                // What can't be verified isn't shown; the client comes back and is looked at then.
                subscription.Connection.Close(CloseReason.Unverified);
            }
        }
    }

    /// <summary>The stream is over: everybody loses it and is told.</summary>
    public void Withdraw()
    {
        foreach (var subscription in Subscriptions())
        {
            Withdraw(subscription);
        }
    }

    /// <summary>Does something that asks whether the stream may still be seen; if that can't be found out, nobody sees it.</summary>
    public async Task Safely(Func<StreamRelay, Task> what)
    {
        try
        {
            await what(this);
        }
        catch (Exception e)
        {
            pump.ReadFailed(stream, e);
            Break(CloseReason.Unverified);
        }
    }

    /// <summary>Ends every connection that has this stream: they resume, and are told then what can't be told now.</summary>
    protected void Break(CloseReason reason)
    {
        foreach (var subscription in Subscriptions())
        {
            subscription.Connection.Close(reason);
        }
    }

    /// <summary>From now on the subscription is told everything; false if it must catch up from the log first.</summary>
    public abstract bool TryGoLive(Subscription subscription);

    /// <summary>Called under the lock.</summary>
    protected abstract void Left(Subscription subscription);

    /// <summary>Called under the lock.</summary>
    protected abstract void Retired();

    private void Withdraw(Subscription subscription)
    {
        Leave(subscription);
        subscription.Connection.Forget(subscription);
        subscription.Connection.Send(Notice.Revoked(stream));
    }
}
