namespace PersonaActors.Contracts.Presence;

/// <summary>
/// Who is online at one place of a tenant. Key: <see cref="PlaceKey"/>. In memory only: gateways tell every few seconds
/// whom they have here, so what an activation takes with it the next one is soon told.
/// </summary>
[Alias("presence")]
public interface IPresenceGrain : IGrainWithStringKey
{
    /// <summary>What a gateway has here now, in place of what it told before. Who isn't told of for fifteen seconds has left.</summary>
    /// <param name="watcher">Told of every coming and leaving as long as the gateway tells anything; none if nobody there listens.</param>
    /// <returns>
    /// The version of what is here now. Nothing, if this activation is new and the gateway has seen another: then nothing was
    /// taken in, and the gateway tells it again with what it saw, so that nobody seems to leave because a silo did.
    /// </returns>
    [Alias("tell")]
    Task<PresenceVersion?> Tell(PresenceReport report, IPresenceWatcher? watcher);

    [Alias("who")]
    Task<PresenceView> Who();
}

/// <summary>A gateway, as the places see it at which somebody listens there.</summary>
[Alias("presence-watcher")]
public interface IPresenceWatcher : IGrainObserver
{
    [Alias("changed"), OneWay]
    Task Changed(string place, PresenceView view);
}
