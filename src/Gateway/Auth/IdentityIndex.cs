using Microsoft.Extensions.Caching.Memory;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Users;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Which user an external identity belongs to, remembered: an identity never moves to another user while that one exists.
/// Entries age, so that a deletion on another node is noticed too.
/// </summary>
public sealed class IdentityIndex(UserStore users, Clock time) : IDisposable
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = 200_000 });

    public async ValueTask<Guid?> Find(Guid tenant, string provider, string subject, CancellationToken cancel)
    {
        var now = time.GetTimestamp();
        if (_known.TryGetValue((tenant, provider, subject), out (Guid User, long Until) entry) && entry.Until > now)
        {
            return entry.User;
        }

        var found = await users.FindByIdentities(tenant, [new UserIdentity(provider, subject)], cancel);
        if (found.Count == 0)
        {
            return null;
        }

        _known.Set((tenant, provider, subject), (found[0], now + (long)(Age.TotalSeconds * time.TimestampFrequency)), new MemoryCacheEntryOptions { Size = 1 });
        return found[0];
    }

    /// <summary>The user is gone, and their identities are anybody's.</summary>
    public void Forget(string userStream)
    {
        foreach (var identity in _known.Keys)
        {
            if (_known.TryGetValue(identity, out (Guid User, long Until) entry) && StreamName.User(entry.User) == userStream)
            {
                _known.Remove(identity);
            }
        }
    }

    public void Dispose() => _known.Dispose();
}
