using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// One grain's entity as last read. Read again with the version that is known, it says whether that still holds; an entity
/// that isn't there has version 0.
/// </summary>
internal sealed class Held<T>(Func<long, ValueTask<Snapshot<T>>> read, Func<T, long> version)
    where T : class
{
    public T? Value { get; private set; }

    /// <summary>Takes the entity as it is now; true if it isn't what was held.</summary>
    public async ValueTask<bool> Moved()
    {
        var snapshot = await read(Value is { } known ? version(known) : 0);
        if (snapshot.Kind == SnapshotKind.Unchanged || (snapshot.Kind == SnapshotKind.Missing && Value is null))
        {
            return false;
        }

        Value = snapshot.Value;
        return true;
    }
}

/// <summary>
/// The other grains that one prompt is made from, with what they last said. <see cref="Confirm"/> asks each whether it
/// still holds: versions only rise, so if all do, there was a moment after the request came in at which all of it held
/// together. Several requests may be asking at once, in turns: <see cref="Stamp"/> rises with everything that is learned, so
/// each sees what another learned while it was waiting.
/// </summary>
internal sealed class PromptSources
{
    /// <summary>A catalogue that nobody has written to yet has version 0.</summary>
    private const long NothingKnown = -1;

    private static readonly CatalogueExcerpt NoCatalogue = new(0, null, null, [], null, null, null);

    private readonly Held<PersonaView>? _overridePersona;
    private readonly Held<PersonaView> _defaultPersona;
    private readonly Held<PersonalityView>? _personality;
    private readonly Held<UserPersonaView>? _userPersona;
    private readonly Held<TenantView> _tenant;
    private readonly Func<CatalogueQuestion, long, ValueTask<Snapshot<CatalogueExcerpt>>> _askCatalogue;
    private readonly PromptRequest _request;
    private CatalogueQuestion? _question;

    /// <summary>The personality that the question is about: while it is the same, so is the question.</summary>
    private PersonalityView? _askedFor;
    private CatalogueExcerpt? _catalogue;

    public PromptSources(IGrainFactory grains, Guid tenant, UserSide me, PromptRequest request)
    {
        Me = me;
        _request = request;
        Override = request.Speaker == PromptSpeaker.Personality ? me.Overrides.GetValueOrDefault(request.SpeakerId) : null;
        Held<PersonaView> Persona(Guid id)
        {
            var grain = grains.Of<IPersonaGrain>(new OwnedKey(tenant, me.User.Id, id));
            return new Held<PersonaView>(grain.Snapshot, persona => persona.Version);
        }

        _overridePersona = Override?.PersonaId is { } persona ? Persona(persona) : null;
        _defaultPersona = Persona(me.User.DefaultPersonaId);
        if (request.Speaker == PromptSpeaker.Personality)
        {
            var grain = grains.Of<IPersonalityGrain>(new TenantScopedKey(tenant, request.SpeakerId));
            _personality = new Held<PersonalityView>(grain.Snapshot, personality => personality.Version);
        }
        else
        {
            var grain = grains.Of<IUserPersonaGrain>(new TenantScopedKey(tenant, request.SpeakerId));
            _userPersona = new Held<UserPersonaView>(grain.Snapshot, userPersona => userPersona.Version);
        }

        _tenant = new Held<TenantView>(grains.Of<ITenantGrain>(new TenantKey(tenant)).Snapshot, view => view.Version);
        var catalogue = grains.Of<ICatalogueGrain>(new TenantKey(tenant));
        _askCatalogue = (question, known) => catalogue.Excerpt(known, question);
    }

    /// <summary>The user's own state that this was begun with; when it is another, so are the sources.</summary>
    public UserSide Me { get; }

    public OverrideView? Override { get; }

    public PersonalityView? Personality => _personality?.Value;

    public UserPersonaView? UserPersona => _userPersona?.Value;

    /// <summary>A mode was asked for, and the catalogue has no active one of that name.</summary>
    public bool HasNoFocusMode => _request.FocusMode is not null && _catalogue?.FocusMode is null;

    /// <summary>Tells one state of what is held from the next.</summary>
    public int Stamp { get; private set; }

    /// <summary>Asks every source again; true if all of them, from the first to the last, held what is held now.</summary>
    public async ValueTask<bool> Confirm()
    {
        var before = Stamp;
        await Ask(_personality);
        await Ask(_userPersona);
        await Ask(_overridePersona);
        // A default that an override covers shows only where every tier is explained.
        if (_overridePersona?.Value is null || _request.Explain)
        {
            await Ask(_defaultPersona);
        }

        await Ask(_tenant);
        await AskCatalogue();
        return Stamp == before;
    }

    private async ValueTask Ask<T>(Held<T>? source)
        where T : class
    {
        if (source is not null && await source.Moved())
        {
            Stamp++;
        }
    }

    /// <summary>What the sources said, or null where one of them that must be there isn't.</summary>
    public PromptMaterial? ToMaterial()
    {
        if ((Personality is null && UserPersona is null) || (_overridePersona?.Value ?? _defaultPersona.Value) is null)
        {
            return null;
        }

        return new PromptMaterial
        {
            User = Me.User,
            DefaultPersona = _defaultPersona.Value,
            OverridePersona = _overridePersona?.Value,
            Override = Override,
            UserDefaultLlmConfig = Me.DefaultLlmConfig,
            UserSettings = Me.Settings,
            OwnLlmConfigs = Me.LlmConfigs,
            Personality = Personality,
            UserPersona = UserPersona,
            Catalogue = _catalogue!,
            WithFocusMode = _request.FocusMode is not null,
            TenantSettings = _tenant.Value?.Settings ?? SettingsTier.Empty,
        };
    }

    private async ValueTask AskCatalogue()
    {
        var personality = Personality;
        var question = _question is not null && ReferenceEquals(personality, _askedFor)
            ? _question
            : PromptMaterial.Question(Me.DefaultLlmConfig, Override, personality, _request.FocusMode);
        var known = question == _question ? _catalogue!.Version : NothingKnown;
        var snapshot = await _askCatalogue(question, known);
        if (snapshot.Kind == SnapshotKind.Unchanged)
        {
            _askedFor = personality;
            return;
        }

        var excerpt = snapshot.Value ?? NoCatalogue;
        if (excerpt.Version != known)
        {
            _question = question;
            _askedFor = personality;
            _catalogue = excerpt;
            Stamp++;
        }
    }
}
