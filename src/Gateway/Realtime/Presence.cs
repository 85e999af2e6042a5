using System.Collections.Immutable;
using System.Globalization;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>Somebody online, since when, and over how many connections.</summary>
public sealed record PresentUser(Guid User, DateTimeOffset Since, int Connections);

/// <summary>
/// Who is online, as the connections of this process tell it. A user is present as themselves while they have a connection,
/// and with a channel or a personality while one of their connections listens to its stream or to its presence. It is
/// ephemeral: who has no connection for fifteen seconds has left, and a node that dies forgets all, until the clients
/// connect again and say so by it.
/// </summary>
public sealed class Presence(TimeProvider time)
{
    public const string StreamKindName = "presence";
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(15);
    private static readonly string[] Places = ["channel", "user", "personality"];

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Tenant, string Place), Room> _rooms = [];
    private readonly string _node = Guid.NewGuid().ToString("N")[..8];

    private sealed class Room
    {
        public Dictionary<Guid, Guest> Guests { get; } = [];

        public ImmutableArray<Action> Watchers { get; set; } = [];

        public long Changes { get; set; }

        public object Last { get; set; } = new { };
    }

    private sealed class Guest
    {
        public required DateTimeOffset Since { get; init; }

        public int Connections { get; set; }

        public ITimer? Leaving { get; set; }
    }

    /// <summary>The stream presence:{channel|user|personality}:{id}; seen by whom may see the thing itself.</summary>
    public StreamKind ToStreamKind(Func<Acting, string, ValueTask<bool>> maySee) => new(StreamKindName, async (acting, place) =>
        IsPlace(place) && await maySee(acting, place) ? new StreamSight(acting.Tenant, Version(acting.Tenant, place), 1, () => State(acting.Tenant, place)) { LeansOn = place } : null)
    {
        Derived = new Derivation(
            (tenant, place) => ValueTask.FromResult<DerivedState?>(new DerivedState(Version(tenant, place), "presence.changed", State(tenant, place))),
            Watch),
    };

    /// <summary>A connection came to a place, and leaves it when the answer is disposed.</summary>
    public IDisposable Come(Guid tenant, string place, Guid user)
    {
        lock (_lock)
        {
            var room = RoomOf(tenant, place);
            if (!room.Guests.TryGetValue(user, out var guest))
            {
                room.Guests[user] = guest = new Guest { Since = time.GetUtcNow() };
                Changed(room, new { joined = user });
            }

            guest.Leaving?.Dispose();
            guest.Leaving = null;
            guest.Connections++;
        }

        return new Stay(this, tenant, place, user);
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
            _ when stream[..colon] is "channel" or "personality" => stream,
            _ => null,
        };
    }

    private static bool IsPlace(string text) => Places.Any(place => text.Length > place.Length + 1 && text.StartsWith(place, StringComparison.Ordinal) && text[place.Length] == ':');

    private void Go(Guid tenant, string place, Guid user)
    {
        lock (_lock)
        {
            if (!_rooms.TryGetValue((tenant, place), out var room) || !room.Guests.TryGetValue(user, out var guest))
            {
                return;
            }

            guest.Connections--;
            if (guest.Connections == 0)
            {
                guest.Leaving = time.CreateTimer(_ => Left(tenant, place, user), null, LeaveAfter, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Left(Guid tenant, string place, Guid user)
    {
        lock (_lock)
        {
            if (_rooms.TryGetValue((tenant, place), out var room) && room.Guests.TryGetValue(user, out var guest) && guest.Connections == 0)
            {
                guest.Leaving?.Dispose();
                room.Guests.Remove(user);
                Changed(room, new { left = user });
                if (room.Guests.Count == 0 && room.Watchers.IsEmpty)
                {
                    _rooms.Remove((tenant, place));
                }
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

    private static void Changed(Room room, object what)
    {
        room.Changes++;
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
                if (room.Guests.Count == 0 && room.Watchers.IsEmpty)
                {
                    _rooms.Remove((tenant, place));
                }
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

    private sealed class Stay(Presence presence, Guid tenant, string place, Guid user) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                presence.Go(tenant, place, user);
            }
        }
    }

    private sealed class Watcher(Presence presence, Guid tenant, string place, Action changed) : IDisposable
    {
        public void Dispose() => presence.Unwatch(tenant, place, changed);
    }
}
