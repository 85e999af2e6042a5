using Microsoft.Extensions.Caching.Memory;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Which user an external identity belongs to. Where it led last is remembered, and followed only if the user's replica says
/// that it is theirs: then, by constraint, it is nobody else's.
/// </summary>
/// <param name="replicas">None in a gateway without grains, which looks each time.</param>
public sealed class IdentityIndex(UserStore users, Replicas? replicas = null) : IDisposable
{
    private readonly MemoryCache _ledTo = new(new MemoryCacheOptions { SizeLimit = 200_000 });

    public async ValueTask<Guid?> Find(Guid tenant, string provider, string subject, CancellationToken cancel)
    {
        if (replicas is not null && _ledTo.TryGetValue((tenant, provider, subject), out Guid last)
            && await replicas.Read(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, new TenantScopedKey(tenant, last))) is { } user
            && user.User.Identities.Contains(new UserIdentity(provider, subject)))
        {
            return last;
        }

        var found = await users.FindByIdentities(tenant, [new UserIdentity(provider, subject)], cancel);
        return found.Count == 0 ? null : _ledTo.Set((tenant, provider, subject), found[0], new MemoryCacheEntryOptions { Size = 1 });
    }

    public void Dispose() => _ledTo.Dispose();
}
