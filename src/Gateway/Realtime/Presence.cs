using System.Collections.Immutable;
using System.Globalization;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>Somebody online, since when, and over how many connections.</summary>
public sealed record PresentUser(Guid User, DateTimeOffset Since, int Connections);

/// <summary>
/// Who is online. A user is present as themselves while they have a connection, and with a channel or a personality while
/// one of their connections listens to its stream or to its presence. It is ephemeral, in memory only: who has no connection
/// for fifteen seconds has left.
///
/// Where several gateways serve one database, each knows its own connections and hears of the others' (see
/// <see cref="PresenceLine"/>, <see cref="PresenceExchange"/>): changes as they come, and every two seconds that the gateway
/// lives. One that isn't heard for fifteen seconds is dead, and its users have left unless they came back somewhere else.
/// Notifications are lost only with the connection that listens; after that everything is asked for anew, and meanwhile
/// nobody is declared dead.
/// </summary>
public sealed class Presence(Clock time)
{
    public const string StreamKindName = "presence";
    public static readonly TimeSpan BeatPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DeafAfter = TimeSpan.FromSeconds(5);
    private static readonly string[] Places = ["channel", "user", "personality"];

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Tenant, string Place), Room> _rooms = [];
    private readonly Dictionary<string, Neighbour> _neighbours = [];
    private readonly HashSet<Visit> _news = [];
    private readonly HashSet<string> _asked = [];
    private readonly string _node = Guid.NewGuid().ToString("N")[..8];
    private DateTimeOffset _heardMyself;
    private long _changes;
    private bool _tellAll;
    private bool _beat;

    private sealed class Room
    {
        public Dictionary<Guid, Guest> Guests { get; } = [];

        public ImmutableArray<Action> Watchers { get; set; } = [];

        /// <summary>The change that was the room's last. Counted for all rooms together, so that a room made anew has no version of before.</summary>
        public long Changes { get; set; }

        public object Last { get; set; } = new { };
    }

    private sealed class Guest
    {
        public required DateTimeOffset Since { get; set; }

        /// <summary>Connections of this process; none, if the user isn't or is no longer here.</summary>
        public int? Here { get; set; }

        public ITimer? Leaving { get; set; }

        public Dictionary<string, int> Elsewhere { get; } = [];

        public int Connections => (Here ?? 0) + Elsewhere.Values.Sum();
    }

    /// <summary>Another gateway, and who is there.</summary>
    private sealed class Neighbour
    {
        public DateTimeOffset Heard { get; set; }

        public HashSet<Visit> Visits { get; set; } = [];

        /// <summary>While it tells everything: what it has told.</summary>
        public HashSet<Visit>? Arriving { get; set; }
    }

    /// <summary>Something is to be told to the other gateways. Called under a lock: only notes it.</summary>
    public Action? Told { get; set; }

    /// <summary>The stream presence:{channel|user|personality}:{id}; seen by whom may see the thing itself.</summary>
    public StreamKind ToStreamKind(Func<Acting, string, ValueTask<bool>> maySee) => new(StreamKindName, async (acting, place) =>
        IsPlace(place) && await maySee(acting, place)
            ? new StreamSight(acting.Tenant, Version(acting.Tenant, place), 1, () => State(acting.Tenant, place)) { LeansOn = place }
            : null)
    {
        Derived = new Derivation(
            (tenant, place) => ValueTask.FromResult<DerivedState?>(new DerivedState(Version(tenant, place), "presence.changed", State(tenant, place))),
            Watch),
    };

    /// <summary>A connection came to a place, and leaves it when the answer is disposed.</summary>
    public IDisposable Come(Guid tenant, string place, Guid user)
    {
        var visit = new Visit(tenant, place, user);
        lock (_lock)
        {
            var guest = Admit(visit, time.GetUtcNow());
            guest.Leaving?.Dispose();
            guest.Leaving = null;
            guest.Here = (guest.Here ?? 0) + 1;
            Tell(visit);
        }

        return new Stay(this, visit);
    }

    public IReadOnlyList<PresentUser> Who(Guid tenant, string place)
    {
        lock (_lock)
        {
            return _rooms.TryGetValue((tenant, place), out var room)
                ? [.. room.Guests.Select(guest => new PresentUser(guest.Key, guest.Value.Since, guest.Value.Connections)).OrderBy(guest => guest.Since)]
                : [];
        }
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

    /// <summary>From now on the others are heard. What was said before is lost: who lives has fifteen seconds to say so again.</summary>
    public void Listening()
    {
        lock (_lock)
        {
            foreach (var neighbour in _neighbours.Values)
            {
                neighbour.Heard = time.GetUtcNow();
            }

            _asked.Add(PresenceLine.Ask.Everybody);
            _tellAll = true;
            Told?.Invoke();
        }
    }

    /// <summary>What came over the channel, our own words among it.</summary>
    public void Hear(string payload)
    {
        foreach (var line in PresenceLine.Read(payload))
        {
            lock (_lock)
            {
                if (line.Node == _node)
                {
                    _heardMyself = time.GetUtcNow();
                }
                else
                {
                    Hear(line);
                }
            }
        }
    }

    /// <summary>Says that this gateway lives, and finds out which don't. Every <see cref="BeatPeriod"/>.</summary>
    public void Beat()
    {
        lock (_lock)
        {
            _beat = true;
            Told?.Invoke();
            var now = time.GetUtcNow();
            if (now - _heardMyself > DeafAfter)
            {
                // Whoever doesn't even hear itself says nothing of others.
                return;
            }

            foreach (var (node, neighbour) in _neighbours.Where(one => now - one.Value.Heard > LeaveAfter).ToList())
            {
                _neighbours.Remove(node);
                foreach (var visit in neighbour.Visits)
                {
                    Dismiss(visit, guest => guest.Elsewhere.Remove(node));
                }
            }
        }
    }

    /// <summary>What is to be told to the others. If they weren't reached, say so with <see cref="NotTold"/>.</summary>
    public IReadOnlyList<string> TakeNews()
    {
        lock (_lock)
        {
            List<PresenceLine> lines = _beat ? [new PresenceLine.Beat(_node)] : [];
            lines.AddRange(_asked.Select(whom => new PresenceLine.Ask(_node, whom)));
            if (_tellAll)
            {
                lines.Add(new PresenceLine.All(_node));
                lines.AddRange(_rooms.SelectMany(room => room.Value.Guests.Where(guest => guest.Value.Here is not null)
                    .Select(guest => Line(new Visit(room.Key.Tenant, room.Key.Place, guest.Key)))));
                lines.Add(new PresenceLine.Done(_node));
            }
            else
            {
                lines.AddRange(_news.Select(Line));
            }

            (_beat, _tellAll) = (false, false);
            _asked.Clear();
            _news.Clear();
            return [.. lines.Select(line => line.ToString())];
        }
    }

    public void NotTold()
    {
        lock (_lock)
        {
            _tellAll = true;
            _asked.Add(PresenceLine.Ask.Everybody);
        }
    }

    // Gateways tell each other of places in lines.
    private static bool IsPlace(string text) =>
        Places.Any(place => text.Length > place.Length + 1 && text.StartsWith(place, StringComparison.Ordinal) && text[place.Length] == ':') && !text.Contains('\n');

    private void Hear(PresenceLine line)
    {
        if (line is PresenceLine.Ask ask)
        {
            if (ask.Whom == _node || ask.Whom == PresenceLine.Ask.Everybody)
            {
                _tellAll = true;
                Told?.Invoke();
            }

            return;
        }

        if (!_neighbours.TryGetValue(line.Node, out var neighbour))
        {
            _neighbours[line.Node] = neighbour = new Neighbour();
            if (line is not PresenceLine.All)
            {
                _asked.Add(line.Node);
                Told?.Invoke();
            }
        }

        neighbour.Heard = time.GetUtcNow();
        switch (line)
        {
            case PresenceLine.All:
                neighbour.Arriving = [];
                break;
            case PresenceLine.At at:
                var guest = Admit(at.Visit, at.Since);
                guest.Since = at.Since < guest.Since ? at.Since : guest.Since;
                guest.Elsewhere[line.Node] = at.Connections;
                neighbour.Visits.Add(at.Visit);
                neighbour.Arriving?.Add(at.Visit);
                break;
            case PresenceLine.Gone gone:
                neighbour.Visits.Remove(gone.Visit);
                neighbour.Arriving?.Remove(gone.Visit);
                Dismiss(gone.Visit, guest => guest.Elsewhere.Remove(line.Node));
                break;
            case PresenceLine.Done when neighbour.Arriving is { } arrived:
                foreach (var visit in neighbour.Visits.Except(arrived))
                {
                    Dismiss(visit, guest => guest.Elsewhere.Remove(line.Node));
                }

                neighbour.Visits = arrived;
                neighbour.Arriving = null;
                break;
        }
    }

    private PresenceLine Line(Visit visit) =>
        _rooms.TryGetValue((visit.Tenant, visit.Place), out var room) && room.Guests.TryGetValue(visit.User, out var guest) && guest.Here is { } connections
            ? new PresenceLine.At(_node, visit, guest.Since, connections)
            : new PresenceLine.Gone(_node, visit);

    private void Tell(Visit visit)
    {
        if (Told is { } told)
        {
            _news.Add(visit);
            told();
        }
    }

    private Guest Admit(Visit visit, DateTimeOffset since)
    {
        var room = RoomOf(visit.Tenant, visit.Place);
        if (!room.Guests.TryGetValue(visit.User, out var guest))
        {
            room.Guests[visit.User] = guest = new Guest { Since = since };
            Changed(room, new { joined = visit.User });
        }

        return guest;
    }

    /// <summary>Takes a part of somebody's being there away; without another part they have left.</summary>
    private void Dismiss(Visit visit, Action<Guest> take)
    {
        if (!_rooms.TryGetValue((visit.Tenant, visit.Place), out var room) || !room.Guests.TryGetValue(visit.User, out var guest))
        {
            return;
        }

        take(guest);
        if (guest.Here is null && guest.Elsewhere.Count == 0)
        {
            room.Guests.Remove(visit.User);
            Changed(room, new { left = visit.User });
            RemoveIfEmpty(visit.Tenant, visit.Place, room);
        }
    }

    private void Go(Visit visit)
    {
        lock (_lock)
        {
            if (!_rooms.TryGetValue((visit.Tenant, visit.Place), out var room) || !room.Guests.TryGetValue(visit.User, out var guest))
            {
                return;
            }

            guest.Here--;
            Tell(visit);
            if (guest.Here == 0)
            {
                guest.Leaving = time.CreateTimer(_ => Left(visit), null, LeaveAfter, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Left(Visit visit)
    {
        lock (_lock)
        {
            if (_rooms.TryGetValue((visit.Tenant, visit.Place), out var room) && room.Guests.TryGetValue(visit.User, out var there) && there.Here == 0)
            {
                Dismiss(visit, static guest =>
                {
                    guest.Leaving?.Dispose();
                    guest.Leaving = null;
                    guest.Here = null;
                });
                Tell(visit);
            }
        }
    }

    private Room RoomOf(Guid tenant, string place)
    {
        if (!_rooms.TryGetValue((tenant, place), out var room))
        {
            _rooms[(tenant, place)] = room = new Room();
        }

        return room;
    }

    private void RemoveIfEmpty(Guid tenant, string place, Room room)
    {
        if (room.Guests.Count == 0 && room.Watchers.IsEmpty)
        {
            _rooms.Remove((tenant, place));
        }
    }

    private void Changed(Room room, object what)
    {
        room.Changes = ++_changes;
        room.Last = what;
        foreach (var watcher in room.Watchers)
        {
            watcher();
        }
    }

    private IDisposable Watch(Guid tenant, string place, Action changed)
    {
        lock (_lock)
        {
            var room = RoomOf(tenant, place);
            room.Watchers = room.Watchers.Add(changed);
        }

        return new Watcher(this, tenant, place, changed);
    }

    private void Unwatch(Guid tenant, string place, Action changed)
    {
        lock (_lock)
        {
            if (_rooms.TryGetValue((tenant, place), out var room))
            {
                room.Watchers = room.Watchers.Remove(changed);
                RemoveIfEmpty(tenant, place, room);
            }
        }
    }

    private string Version(Guid tenant, string place)
    {
        lock (_lock)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{_node}-{(_rooms.TryGetValue((tenant, place), out var room) ? room.Changes : 0)}");
        }
    }

    /// <summary>The last coming or going, and everybody who is there: who missed one between has the whole.</summary>
    private JsonText State(Guid tenant, string place)
    {
        lock (_lock)
        {
            return JsonText.From(new { last = _rooms.TryGetValue((tenant, place), out var room) ? room.Last : new { }, online = Who(tenant, place) });
        }
    }

    private sealed class Stay(Presence presence, Visit visit) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                presence.Go(visit);
            }
        }
    }

    private sealed class Watcher(Presence presence, Guid tenant, string place, Action changed) : IDisposable
    {
        public void Dispose() => presence.Unwatch(tenant, place, changed);
    }
}
