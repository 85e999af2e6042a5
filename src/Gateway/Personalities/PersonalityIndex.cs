using Microsoft.Extensions.Caching.Memory;
using PersonaActors.Grains;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Gateway.Personalities;

/// <summary>
/// Which personality a text in an address means: its id, the user's own alias, its slug, or an alias of the tenant. Where a slug
/// led last is remembered, if it was nobody's own alias, and followed only if the personality's replica says that it is still
/// at that version: then, by constraint, it is nobody else's slug or alias. Whether the caller may use it is the grain's to say.
/// </summary>
/// <param name="replicas">None in a gateway without grains, which looks each time.</param>
public sealed class PersonalityIndex(PersonalityStore store, Replicas? replicas = null) : IDisposable
{
    private const int Capacity = 100_000;
    private const int MaxText = 100;

    private readonly MemoryCache _ledTo = new(new MemoryCacheOptions { SizeLimit = Capacity });

    /// <summary>The personality that a request names, if it names one.</summary>
    public async ValueTask<(Guid? Personality, Refusal? Refusal)> Named(Guid tenant, Guid? user, string? text, CancellationToken cancel) =>
        text is null ? default
        : await Find(tenant, user, text, cancel) is { } id ? (id, null)
        : (null, Refusal.NotFound("personality"));

    public async ValueTask<Guid?> Find(Guid tenant, Guid? user, string text, CancellationToken cancel)
    {
        if (Guid.TryParse(text, out var id))
        {
            return id;
        }

        if (Text.CheckOptional("personality", text, MaxText) is not null)
        {
            return null;
        }

        if (replicas is not null && _ledTo.TryGetValue((tenant, text), out (Guid Id, long Version) last)
            && await replicas.Read(PromptReplicas.Personality, new ReplicaKey(ReplicaKind.Personality, new TenantScopedKey(tenant, last.Id))) is { } it
            && it.Slug == text && it.Version == last.Version)
        {
            return last.Id;
        }

        if (await store.Find(tenant, user, text, cancel) is not { } found)
        {
            return null;
        }

        if (found.IsForAll)
        {
            _ledTo.Set((tenant, text), (found.Id, found.Version), new MemoryCacheEntryOptions { Size = 1 });
        }

        return found.Id;
    }

    public void Dispose() => _ledTo.Dispose();
}
