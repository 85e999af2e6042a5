using System.Collections.Concurrent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What this node last heard of the entities that many users' prompts are made from, so that a pair that nobody has asked
/// for yet costs as little as one that was. Bounded: past it, all is forgotten and asked again.
/// </summary>
public sealed class SharedSnapshots(IGrainFactory grains, Database database, ClusterReach reach)
{
    private const int Most = 20_000;

    private readonly ConcurrentDictionary<TenantScopedKey, KnownPersonality> _personalities = new();
    private readonly ConcurrentDictionary<TenantScopedKey, KnownUserPersona> _userPersonas = new();
    private readonly ConcurrentDictionary<Guid, KnownTenant> _tenants = new();
    private string? _epoch;

    internal IGrainFactory Grains => grains;

    internal ClusterReach Reach => reach;

    internal KnownPersonality Personality(TenantScopedKey key)
    {
        ForgetIfRestored();
        return _personalities.TryGetValue(key, out var known) ? known : Add(_personalities, key, new KnownPersonality(this, key));
    }

    internal KnownUserPersona UserPersona(TenantScopedKey key)
    {
        ForgetIfRestored();
        return _userPersonas.TryGetValue(key, out var known) ? known : Add(_userPersonas, key, new KnownUserPersona(this, key));
    }

    internal KnownTenant Tenant(Guid tenant) => _tenants.TryGetValue(tenant, out var known) ? known : Add(_tenants, tenant, new KnownTenant(this, tenant));

    /// <summary>In a database that went back, a version that was known may come again with another content.</summary>
    private void ForgetIfRestored()
    {
        if (database.Epoch is var epoch && epoch != _epoch)
        {
            _epoch = epoch;
            _personalities.Clear();
            _userPersonas.Clear();
            _tenants.Clear();
        }
    }

    private static TValue Add<TKey, TValue>(ConcurrentDictionary<TKey, TValue> known, TKey key, TValue value)
        where TKey : notnull
    {
        if (known.Count >= Most)
        {
            known.Clear();
        }

        return known.GetOrAdd(key, value);
    }
}
