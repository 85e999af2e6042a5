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

/// <summary>
/// A grain that prompts ask again and again whether what it said still holds. Where it lets its version be read, that is
/// enough; once in a while it is asked all the same, so that it knows it is used, and stays. Used by many at once.
/// </summary>
internal abstract class Asked(SharedSnapshots shared)
{
    private static readonly TimeSpan Trust = TimeSpan.FromMinutes(1);

    private LiveVersion? _version;
    private long _askAgain;

    protected abstract LiveVersion? Find(LiveVersions versions);

    /// <summary>The grain itself has this version at this moment.</summary>
    /// <param name="now">By <see cref="TimeProvider.GetTimestamp"/>.</param>
    public bool Holds(long version, long now) =>
        Volatile.Read(ref _version) is { } live && live.Value == version && now < Volatile.Read(ref _askAgain);

    /// <summary>It has just answered, so it is in memory.</summary>
    protected void Answered()
    {
        if (Volatile.Read(ref _version) is null or { Value: LiveVersion.Gone })
        {
            Volatile.Write(ref _version, Find(shared.Versions));
        }

        Volatile.Write(ref _askAgain, shared.Time.GetTimestamp() + (long)(Trust.TotalSeconds * shared.Time.TimestampFrequency));
    }
}

/// <summary>A grain's entity as it last answered. Whoever uses that asks first whether it still holds, so it may be old; it only spares the answer.</summary>
internal abstract class Known<T>(SharedSnapshots shared) : Asked(shared)
    where T : class
{
    private T? _last;

    public T? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    public bool Holds(T? have, long now) => Holds(VersionOf(have), now);

    public ValueTask<Snapshot<T>> Ask(T? have)
    {
        var asked = Ask(VersionOf(have));
        if (!asked.IsCompletedSuccessfully)
        {
            return Awaited(asked);
        }

        Answered();
        return asked;
    }

    /// <summary>0 for what isn't there.</summary>
    protected abstract long VersionOf(T? entity);

    protected abstract ValueTask<Snapshot<T>> Ask(long known);

    private async ValueTask<Snapshot<T>> Awaited(ValueTask<Snapshot<T>> asked)
    {
        var snapshot = await asked;
        Answered();
        return snapshot;
    }
}

/// <summary>A question to the catalogue, the personality it came from, and the answer.</summary>
internal sealed record CatalogueAnswer(PersonalityView? AskedFor, CatalogueQuestion Question, CatalogueExcerpt Excerpt);

/// <summary>Who speaks in prompts, with what was made of it for all of them.</summary>
internal abstract class KnownSpeaker<T>(SharedSnapshots shared) : Known<T>(shared)
    where T : class
{
    private SpeakerShelf? _shelf;

    public SpeakerShelf Shelf(T of)
    {
        var shelf = Volatile.Read(ref _shelf);
        if (ReferenceEquals(shelf?.Of, of))
        {
            return shelf!;
        }

        shelf = new SpeakerShelf(of);
        Volatile.Write(ref _shelf, shelf);
        return shelf;
    }
}

internal sealed class KnownPersonality(SharedSnapshots shared, TenantScopedKey key) : KnownSpeaker<PersonalityView>(shared)
{
    private readonly IPersonalityGrain _grain = shared.Grains.Of<IPersonalityGrain>(key);
    private CatalogueAnswer? _catalogue;

    /// <summary>What the catalogue answered for a user who brings no config of their own.</summary>
    public CatalogueAnswer? Catalogue
    {
        get => Volatile.Read(ref _catalogue);
        set => Volatile.Write(ref _catalogue, value);
    }

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<IPersonalityGrain>(key.ToKey());

    protected override long VersionOf(PersonalityView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<PersonalityView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownUserPersona(SharedSnapshots shared, TenantScopedKey key) : KnownSpeaker<UserPersonaView>(shared)
{
    private readonly IUserPersonaGrain _grain = shared.Grains.Of<IUserPersonaGrain>(key);

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<IUserPersonaGrain>(key.ToKey());

    protected override long VersionOf(UserPersonaView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<UserPersonaView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownTenant(SharedSnapshots shared, Guid tenant) : Known<TenantView>(shared)
{
    private readonly ITenantGrain _grain = shared.Grains.Of<ITenantGrain>(new TenantKey(tenant));

    public KnownCatalogue Catalogue { get; } = new(shared, tenant);

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<ITenantGrain>(new TenantKey(tenant).ToKey());

    protected override long VersionOf(TenantView? entity) => entity?.Version ?? 0;

    protected override ValueTask<Snapshot<TenantView>> Ask(long known) => _grain.Snapshot(known);
}

internal sealed class KnownCatalogue(SharedSnapshots shared, Guid tenant) : Asked(shared)
{
    private readonly ICatalogueGrain _grain = shared.Grains.Of<ICatalogueGrain>(new TenantKey(tenant));

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<ICatalogueGrain>(new TenantKey(tenant).ToKey());

    public async ValueTask<Snapshot<CatalogueExcerpt>> Ask(long known, CatalogueQuestion question)
    {
        var snapshot = await _grain.Excerpt(known, question);
        Answered();
        return snapshot;
    }
}

/// <summary>A user's persona, and what their prompts say of it. Known to that user's grain only.</summary>
internal sealed class KnownPersona(SharedSnapshots shared, OwnedKey key) : Known<PersonaView>(shared)
{
    private readonly IPersonaGrain _grain = shared.Grains.Of<IPersonaGrain>(key);
    private PersonaSection? _section;

    public Guid Id => key.Id;

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<IPersonaGrain>(key.ToKey());

    public PersonaSection Section(PersonaView of) => ReferenceEquals(_section?.Of, of) ? _section! : _section = new PersonaSection(of);

    /// <summary>From the section, where there is one: it is read anyway, the entity itself then isn't.</summary>
    protected override long VersionOf(PersonaView? entity) =>
        entity is null ? 0 : ReferenceEquals(_section?.Of, entity) ? _section!.Version : entity.Version;

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

/// <summary>Whoever accompanies the user, asked for their live session. Most have none.</summary>
internal sealed class KnownCompanion(SharedSnapshots shared, TenantScopedKey user) : Asked(shared)
{
    private readonly ICompanionGrain _grain = shared.Grains.Of<ICompanionGrain>(user);

    protected override LiveVersion? Find(LiveVersions versions) => versions.Find<ICompanionGrain>(user.ToKey());

    public bool HasNoSession(long now) => Holds(CompanionGrain.NoSession, now);

    public async ValueTask<FocusSessionView?> Live()
    {
        var session = await _grain.Live();
        Answered();
        return session;
    }
}
