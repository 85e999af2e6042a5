using System.Collections.Immutable;
using PersonaActors.Contracts.Presence;

namespace PersonaActors.Grains.Presence;

/// <summary>
/// Who is at a place, by what gateways told. Somebody is there while a gateway has a connection of theirs and for fifteen
/// seconds after the last one; a gateway that says nothing for as long has none any more.
/// </summary>
public sealed record Attendance(ImmutableDictionary<string, Attendance.Told> Gateways, ImmutableDictionary<Guid, Attendance.Stay> Stays)
{
    public static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(15);

    public static readonly Attendance Nobody = new(ImmutableDictionary<string, Told>.Empty, ImmutableDictionary<Guid, Stay>.Empty);

    public sealed record Told(DateTimeOffset At, Items<PresentUser> Here);

    public sealed record Stay(DateTimeOffset Since, DateTimeOffset Until);

    public Attendance Hear(string gateway, Items<PresentUser> here, DateTimeOffset now)
    {
        var current = At(now);
        // Who has no connection there any more had one until now, whenever that was last told.
        var until = current.Gateways.TryGetValue(gateway, out var before) ? here.Concat(before.Here) : here;
        return new Attendance(current.Gateways.SetItem(gateway, new Told(now, here)), current.Keep(until, now));
    }

    /// <summary>Takes in who is known to have been here; they leave if no gateway tells of them in time.</summary>
    public Attendance Recall(Items<PresentUser> seen, DateTimeOffset now) => this with { Stays = Keep(seen, now) };

    public Attendance At(DateTimeOffset now) => new(
        Gateways.RemoveRange(Gateways.Where(gateway => gateway.Value.At + LeaveAfter <= now).Select(gateway => gateway.Key)),
        Stays.RemoveRange(Stays.Where(stay => stay.Value.Until <= now).Select(stay => stay.Key)));

    /// <summary>In the order of their coming.</summary>
    public Items<PresentUser> Online()
    {
        var connections = Gateways.Values.SelectMany(gateway => gateway.Here).ToLookup(user => user.User, user => user.Connections);
        return Stays.OrderBy(stay => stay.Value.Since).Select(stay => new PresentUser(stay.Key, stay.Value.Since, connections[stay.Key].Sum())).ToItems();
    }

    private ImmutableDictionary<Guid, Stay> Keep(IEnumerable<PresentUser> users, DateTimeOffset now)
    {
        var stays = Stays.ToBuilder();
        foreach (var user in users)
        {
            var since = stays.TryGetValue(user.User, out var stay) && stay.Since < user.Since ? stay.Since : user.Since;
            stays[user.User] = new Stay(since, now + LeaveAfter);
        }

        return stays.ToImmutable();
    }
}
