using System.Collections.Concurrent;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Users;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Which user an external identity belongs to, remembered: an identity never moves to another user while that one exists.
/// Entries age, so that a deletion on another node is noticed too.
/// </summary>
public sealed class IdentityIndex
{
    private const int Capacity = 200_000;
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    private readonly UserStore _users;
    private readonly Clock _time;
    private readonly ConcurrentDictionary<(Guid Tenant, string Provider, string Subject), (Guid User, long Until)> _known = new();

    public IdentityIndex(UserStore users, EventFeed feed, Clock time)
    {
        _users = users;
        _time = time;
        feed.Listen(OnEvent);
    }

    public async ValueTask<Guid?> Find(Guid tenant, string provider, string subject, CancellationToken cancel)
    {
        var now = _time.GetTimestamp();
        if (_known.TryGetValue((tenant, provider, subject), out var entry) && entry.Until > now)
        {
            return entry.User;
        }

        var users = await _users.FindByIdentities(tenant, [new UserIdentity(provider, subject)], cancel);
        if (users.Count == 0)
        {
            return null;
        }

        if (_known.Count >= Capacity)
        {
            _known.Clear();
        }

        _known[(tenant, provider, subject)] = (users[0], now + (long)(Age.TotalSeconds * _time.TimestampFrequency));
        return users[0];
    }

    private void OnEvent(Announcement announced)
    {
        if (announced.Event.Type == "user.deleted")
        {
            foreach (var (identity, entry) in _known)
            {
                if (StreamName.User(entry.User) == announced.Event.Stream)
                {
                    _known.TryRemove(identity, out _);
                }
            }
        }
    }
}
