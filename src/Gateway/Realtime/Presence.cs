using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Presence;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Who is online, as far as it concerns this gateway. A user is present as themselves while they have a connection, and with
/// a channel or a personality while one of their connections listens to its stream or to its presence. Each place has a
/// grain (<see cref="IPresenceGrain"/>). It is told whom this gateway has there when that changes and every three seconds,
/// and, while somebody here listens, tells what changed elsewhere. So when a silo goes, or this gateway, the others are right
/// again by themselves.
/// </summary>
public sealed class Presence(IGrainFactory grains, Clock time, ILogger<Presence> log) : BackgroundService, IPresenceWatcher
{
    public const string StreamKindName = "presence";
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(3);
    private static readonly string[] Kinds = ["channel", "user", "personality"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Place> _places = [];
    private readonly string _gateway = Guid.NewGuid().ToString("N")[..8];
    private IPresenceWatcher? _self;
    private int _failing;

    private sealed class Place(string key)
    {
        public string Key => key;

        public Dictionary<Guid, PresentUser> Here { get; } = [];

        public ImmutableArray<Action> Listeners { get; set; } = [];

        /// <summary>The newest that the grain told; only while somebody listens.</summary>
        public PresenceView? View { get; set; }

        public bool ToTell { get; set; }

        public bool Telling { get; set; }
    }

    /// <summary>The stream presence:{channel|user|personality}:{id}; seen by whom may see the thing itself.</summary>
    public StreamKind ToStreamKind(Func<Acting, string, ValueTask<bool>> maySee) => new(StreamKindName, async (acting, place) =>
        IsPlace(place) && await maySee(acting, place)
            ? new StreamSight(acting.Tenant, "", 1, static () => JsonText.EmptyObject) { LeansOn = place }
            : null)
    {
        Derived = new Derivation(async (tenant, place) =>
        {
            var view = await View(new PlaceKey(tenant, place).ToKey());
            return new DerivedState(view.Version.ToString(), "presence.changed", JsonText.From(new { view.Last, view.Online }), IsSettled: true);
        }, Follow, MayMiss: true),
    };

    /// <summary>A connection came to a place, and leaves it when the answer is disposed.</summary>
    public IDisposable Come(Guid tenant, string place, Guid user)
    {
        var key = new PlaceKey(tenant, place).ToKey();
        Change(key, at => at.Here[user] = at.Here.TryGetValue(user, out var before)
            ? before with { Connections = before.Connections + 1 }
            : new PresentUser(user, time.GetUtcNow(), 1));
        return new Until(() => Change(key, at =>
        {
            if (at.Here[user] is { Connections: > 1 } more)
            {
                at.Here[user] = more with { Connections = more.Connections - 1 };
            }
            else
            {
                at.Here.Remove(user);
            }
        }));
    }

    /// <summary>The place that a connection is at by listening to a stream; none for most.</summary>
    public static string? PlaceOf(string stream)
    {
        var colon = stream.IndexOf(':');
        return colon switch
        {
            < 0 => null,
            _ when stream[..colon] == StreamKindName && IsPlace(stream[(colon + 1)..]) && !stream.StartsWith("presence:user:", StringComparison.Ordinal) => stream[(colon + 1)..],
            _ when stream[..colon] is "channel" or "personality" && IsPlace(stream) => stream,
            _ => null,
        };
    }

    /// <summary>Called by the place's grain.</summary>
    public Task Changed(string place, PresenceView view)
    {
        Learn(place, view, asked: false);
        return Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var period = new PeriodicTimer(RenewPeriod, time);
        while (await period.WaitForNextTickAsync(stoppingToken))
        {
            string[] places;
            lock (_lock)
            {
                places = [.. _places.Keys];
            }

            foreach (var place in places)
            {
                Change(place, static _ => { });
            }
        }
    }

    private static bool IsPlace(string text) =>
        Kinds.Any(kind => text.Length > kind.Length + 1 && text.StartsWith(kind, StringComparison.Ordinal) && text[kind.Length] == ':');

    private async ValueTask<PresenceView> View(string key)
    {
        lock (_lock)
        {
            if (_places.TryGetValue(key, out var place) && place.View is { } view)
            {
                return view;
            }
        }

        return await grains.GetGrain<IPresenceGrain>(key).Who();
    }

    private Until Follow(Guid tenant, string place, Action changed)
    {
        var key = new PlaceKey(tenant, place).ToKey();
        Change(key, at => at.Listeners = at.Listeners.Add(changed));
        return new Until(() => Change(key, at =>
        {
            at.Listeners = at.Listeners.Remove(changed);
            at.View = at.Listeners.IsEmpty ? null : at.View;
        }));
    }

    /// <summary>What changes here is told, and what changes while it is told, after that.</summary>
    private void Change(string key, Action<Place> change)
    {
        Place? place;
        lock (_lock)
        {
            if (!_places.TryGetValue(key, out place))
            {
                _places[key] = place = new Place(key);
            }

            change(place);
            place.ToTell = true;
            if (place.Telling)
            {
                return;
            }

            place.Telling = true;
        }

        _ = Tell(place);
    }

    private async Task Tell(Place place)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (true)
            {
                PresenceReport report;
                PresenceView? seen;
                IPresenceWatcher? watcher;
                lock (_lock)
                {
                    if (!place.ToTell)
                    {
                        place.Telling = false;
                        if (place.Here.Count == 0 && place.Listeners.IsEmpty)
                        {
                            _places.Remove(place.Key);
                        }

                        break;
                    }

                    place.ToTell = false;
                    seen = place.View;
                    report = new PresenceReport(_gateway, place.Here.Values.ToItems(), seen?.Version);
                    watcher = place.Listeners.IsEmpty ? null : _self ??= grains.CreateObjectReference<IPresenceWatcher>(this);
                }

                var grain = grains.GetGrain<IPresenceGrain>(place.Key);
                var version = await grain.Tell(report, watcher) ?? await grain.Tell(report with { Seen = seen!.Online }, watcher);
                if (watcher is not null && version != seen?.Version)
                {
                    Learn(place.Key, await grain.Who(), asked: true);
                }
            }

            Volatile.Write(ref _failing, 0);
        }
        catch (Exception e)
        {
            // An outage, whatever its type: it is told with the next renewal.
            if (Interlocked.Exchange(ref _failing, 1) == 0)
            {
                log.LogWarning("Who is here waits to be told: {Reason}", e.Message);
            }

            lock (_lock)
            {
                place.Telling = false;
            }
        }
    }

    /// <param name="asked">Another activation's word counts only when it was asked for: it was told then what had been seen before.</param>
    private void Learn(string key, PresenceView view, bool asked)
    {
        ImmutableArray<Action> listeners;
        lock (_lock)
        {
            if (!_places.TryGetValue(key, out var place) || place.Listeners.IsEmpty)
            {
                return;
            }

            var held = place.View?.Version;
            if (held?.Activation == view.Version.Activation ? view.Version.Changes <= held.Changes : !asked)
            {
                // From an activation that isn't known yet: what is being asked may be older than this, so it is asked again.
                place.ToTell |= held?.Activation != view.Version.Activation;
                return;
            }

            place.View = view;
            listeners = place.Listeners;
        }

        foreach (var listener in listeners)
        {
            listener();
        }
    }

    private sealed class Until(Action over) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                over();
            }
        }
    }
}
