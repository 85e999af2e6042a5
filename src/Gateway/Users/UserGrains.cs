using Microsoft.Extensions.Caching.Memory;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Gateway.Users;

/// <summary>
/// The grains of the users that are asked for again and again: a reference that is remembered needs no key to be written and
/// looked up.
/// </summary>
public sealed class UserGrains(IGrainFactory grains) : IDisposable
{
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = 50_000 });

    public IUserGrain Of(Guid tenant, Guid user)
    {
        var key = new TenantScopedKey(tenant, user);
        return _known.TryGetValue(key, out IUserGrain? known) ? known! : _known.Set(key, grains.Of<IUserGrain>(key), new MemoryCacheEntryOptions { Size = 1 });
    }

    public void Dispose() => _known.Dispose();
}
