using System.Collections.Concurrent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Gateway.Users;

/// <summary>
/// The grains of the users that are asked for again and again: a reference that is remembered needs no key to be written and
/// looked up. Bounded: past it, all are forgotten.
/// </summary>
public sealed class UserGrains(IGrainFactory grains)
{
    private const int Most = 50_000;

    private readonly ConcurrentDictionary<TenantScopedKey, IUserGrain> _known = new();

    public IUserGrain Of(Guid tenant, Guid user)
    {
        var key = new TenantScopedKey(tenant, user);
        if (_known.TryGetValue(key, out var known))
        {
            return known;
        }

        if (_known.Count >= Most)
        {
            _known.Clear();
        }

        return _known[key] = grains.Of<IUserGrain>(key);
    }
}
