using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Grains.Prompts;

/// <summary>A grain's entity as it last answered. Whoever uses that asks first whether it still holds, so it may be old; it only spares the answer.</summary>
internal abstract class Known<T>
    where T : class
{
    private T? _last;

    public T? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    public ValueTask<Snapshot<T>> Ask(T? have) => Ask(VersionOf(have));

    /// <summary>0 for what isn't there.</summary>
    protected abstract long VersionOf(T? entity);

    protected abstract ValueTask<Snapshot<T>> Ask(long known);
}

/// <summary>A question to the catalogue, the personality it came from, and the answer.</summary>
internal sealed record CatalogueAnswer(PersonalityView? AskedFor, CatalogueQuestion Question, CatalogueExcerpt Excerpt);

/// <summary>Who speaks in prompts, with what was made of it for all of them.</summary>
internal abstract class KnownSpeaker<T> : Known<T>
    where T : class
{
    private OfVersion? _prepared;

    private sealed record OfVersion(T Of, Prepared Prepared);

    public Prepared Prepared(T of)
    {
        var known = _prepared;
        if (!ReferenceEquals(known?.Of, of))
        {
            _prepared = known = new OfVersion(of, new Prepared());
        }

        return known!.Prepared;
    }
}

internal sealed class KnownPersonality(SharedSnapshots shared, TenantScopedKey key) : KnownSpeaker<PersonalityView>
{
    private readonly IPersonalityGrain _grain = shared.Grains.Of<IPersonalityGrain>(key);
    private CatalogueAnswer? _catalogue;

    /// <summary>What the catalogue answered for a user who brings no config of their own.</summary>
    public CatalogueAnswer? Catalogue
    {
        get => Volatile.Read(ref _catalogue);
        set => Volatile.Write(ref _catalogue, value);
    }

    protected override long VersionOf(PersonalityView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<PersonalityView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownUserPersona(SharedSnapshots shared, TenantScopedKey key) : KnownSpeaker<UserPersonaView>
{
    private readonly IUserPersonaGrain _grain = shared.Grains.Of<IUserPersonaGrain>(key);

    protected override long VersionOf(UserPersonaView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<UserPersonaView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownTenant(SharedSnapshots shared, Guid tenant) : Known<TenantView>
{
    private readonly ITenantGrain _grain = shared.Grains.Of<ITenantGrain>(new TenantKey(tenant));

    public KnownCatalogue Catalogue { get; } = new(shared, tenant);

    protected override long VersionOf(TenantView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<TenantView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownCatalogue(SharedSnapshots shared, Guid tenant)
{
    private readonly ICatalogueGrain _grain = shared.Grains.Of<ICatalogueGrain>(new TenantKey(tenant));

    public ValueTask<Snapshot<CatalogueExcerpt>> Ask(long known, CatalogueQuestion question) => _grain.Excerpt(known, question);
}

/// <summary>A user's persona, and what their prompts say of it. Known to that user's grain only.</summary>
internal sealed class KnownPersona(SharedSnapshots shared, OwnedKey key) : Known<PersonaView>
{
    private readonly IPersonaGrain _grain = shared.Grains.Of<IPersonaGrain>(key);
    private PersonaText? _text;

    public Guid Id => key.Id;

    public PersonaText Text(PersonaView of) => ReferenceEquals(_text?.Of, of) ? _text! : _text = new PersonaText(of);

    protected override long VersionOf(PersonaView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<PersonaView>> Ask(long known) => _grain.Snapshot(known);
}

/// <summary>
/// The personas that a user's prompts were made of; that user's grain's own. Most speak as one only, so there is nothing
/// between the resolver and that one: no object of its own, and a list only for who has more.
/// </summary>
internal struct KnownPersonas
{
    private const int Most = 8;

    private KnownPersona? _last;
    private List<KnownPersona>? _others;

    public KnownPersona Of(Guid id, SharedSnapshots shared, TenantScopedKey user)
    {
        if (_last is null || _last.Id != id)
        {
            _last = Other(id) ?? new KnownPersona(shared, new OwnedKey(user.Tenant, user.Id, id));
        }

        return _last;
    }

    /// <summary>The last one takes its place.</summary>
    private KnownPersona? Other(Guid id)
    {
        if (_last is null)
        {
            return null;
        }

        _others ??= [];
        for (var i = 0; i < _others.Count; i++)
        {
            if (_others[i].Id == id)
            {
                (var found, _others[i]) = (_others[i], _last);
                return found;
            }
        }

        if (_others.Count == Most - 1)
        {
            _others.RemoveAt(0);
        }

        _others.Add(_last);
        return null;
    }
}
