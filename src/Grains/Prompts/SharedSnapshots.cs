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
/// A grain's entity as it last answered. Whoever uses that asks first whether it still holds, so it may be old; it only
/// spares the answer. Read and written by many at once.
/// </summary>
internal abstract class Known<T>
    where T : class
{
    private T? _last;

    public T? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    /// <param name="have">What the asker has; an entity that isn't there has version 0.</param>
    public abstract ValueTask<Snapshot<T>> Ask(T? have);
}

/// <summary>A question to the catalogue, the personality it came from, and the answer.</summary>
internal sealed record CatalogueAnswer(PersonalityView? AskedFor, CatalogueQuestion Question, CatalogueExcerpt Excerpt);

internal sealed class KnownPersonality(IPersonalityGrain grain) : Known<PersonalityView>
{
    private CatalogueAnswer? _catalogue;

    /// <summary>What the catalogue answered for a user who brings no config of their own.</summary>
    public CatalogueAnswer? Catalogue
    {
        get => Volatile.Read(ref _catalogue);
        set => Volatile.Write(ref _catalogue, value);
    }

    public override ValueTask<Snapshot<PersonalityView>> Ask(PersonalityView? have) => grain.Snapshot(have?.Version ?? 0);
}

internal sealed class KnownUserPersona(IUserPersonaGrain grain) : Known<UserPersonaView>
{
    public override ValueTask<Snapshot<UserPersonaView>> Ask(UserPersonaView? have) => grain.Snapshot(have?.Version ?? 0);
}

internal sealed class KnownTenant(ITenantGrain grain, ICatalogueGrain catalogue) : Known<TenantView>
{
    public ICatalogueGrain Catalogue => catalogue;

    public override ValueTask<Snapshot<TenantView>> Ask(TenantView? have) => grain.Snapshot(have?.Version ?? 0);
}

/// <summary>A user's persona, and what their prompts say of it. Known to that user's grain only.</summary>
internal sealed class KnownPersona(Guid id, IPersonaGrain grain) : Known<PersonaView>
{
    private PersonaSection? _section;

    public Guid Id => id;

    public override ValueTask<Snapshot<PersonaView>> Ask(PersonaView? have) => grain.Snapshot(have?.Version ?? 0);

    public PersonaSection Section(PersonaView of) => ReferenceEquals(_section?.Of, of) ? _section! : _section = new PersonaSection(of);
}

/// <summary>
/// What this node last heard of the entities that many users' prompts are made from, so that a pair that nobody has asked
/// for yet costs as little as one that was. Bounded: past it, all is forgotten and asked again.
/// </summary>
public sealed class SharedSnapshots(IGrainFactory grains, Database database)
{
    private const int Most = 20_000;

    private readonly ConcurrentDictionary<TenantScopedKey, KnownPersonality> _personalities = new();
    private readonly ConcurrentDictionary<TenantScopedKey, KnownUserPersona> _userPersonas = new();
    private readonly ConcurrentDictionary<Guid, KnownTenant> _tenants = new();
    private string? _epoch;

    internal IGrainFactory Grains => grains;

    internal KnownPersonality Personality(TenantScopedKey key)
    {
        ForgetIfRestored();
        return _personalities.TryGetValue(key, out var known) ? known : Add(_personalities, key, new KnownPersonality(grains.Of<IPersonalityGrain>(key)));
    }

    internal KnownUserPersona UserPersona(TenantScopedKey key)
    {
        ForgetIfRestored();
        return _userPersonas.TryGetValue(key, out var known) ? known : Add(_userPersonas, key, new KnownUserPersona(grains.Of<IUserPersonaGrain>(key)));
    }

    internal KnownTenant Tenant(Guid tenant) => _tenants.TryGetValue(tenant, out var known) ? known : Add(_tenants, tenant,
        new KnownTenant(grains.Of<ITenantGrain>(new TenantKey(tenant)), grains.Of<ICatalogueGrain>(new TenantKey(tenant))));

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
