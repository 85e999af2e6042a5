using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>One grain's entity as one request holds it.</summary>
internal class Held<T>(Known<T> known)
    where T : class
{
    public T? Value { get; private set; } = known.Last;

    /// <summary>Takes the entity as it is now; true if it isn't what was held.</summary>
    public ValueTask<bool> Moved()
    {
        var asked = known.Ask(Value);
        return asked.IsCompletedSuccessfully ? ValueTask.FromResult(Take(asked.Result)) : Awaited(asked);
    }

    private async ValueTask<bool> Awaited(ValueTask<Snapshot<T>> asked) => Take(await asked);

    private bool Take(Snapshot<T> snapshot)
    {
        if (snapshot.Kind == SnapshotKind.Unchanged || (snapshot.Kind == SnapshotKind.Missing && Value is null))
        {
            return false;
        }

        known.Last = Value = snapshot.Value;
        return true;
    }
}

internal sealed class HeldSpeaker<T>(KnownSpeaker<T> known) : Held<T>(known)
    where T : class
{
    public Prepared? Prepared => Value is { } speaker ? known.Prepared(speaker) : null;
}

internal sealed class HeldPersona(KnownPersona known) : Held<PersonaView>(known)
{
    /// <summary>What prompts say of it; null if it isn't there.</summary>
    public PersonaText? Text => Value is { } persona ? known.Text(persona) : null;
}

/// <summary>
/// The other grains that one prompt is made from, with what they last said. <see cref="Confirm"/> asks each whether it
/// still holds: versions only rise, so if all do, there was a moment after the request came in at which all of it held
/// together, however long ago it was heard. Several requests may be asking at once, in turns: <see cref="Stamp"/> rises
/// with everything that is learned, so each sees what another learned while it was waiting.
/// </summary>
internal sealed class PromptSources
{
    /// <summary>A catalogue that nobody has written to yet has version 0.</summary>
    private const long NothingKnown = -1;

    private static readonly CatalogueExcerpt NoCatalogue = new(0, null, null, [], null, null, null);

    private readonly HeldPersona? _overridePersona;
    private readonly HeldPersona _defaultPersona;
    private readonly KnownPersonality? _shared;
    private readonly HeldSpeaker<PersonalityView>? _personality;
    private readonly HeldSpeaker<UserPersonaView>? _userPersona;
    private readonly Held<TenantView> _tenant;
    private readonly KnownCatalogue _askCatalogue;
    private readonly PromptRequest _request;
    private CatalogueAnswer? _catalogue;

    public PromptSources(SharedSnapshots shared, TenantScopedKey user, UserSide me, PromptRequest request, ref KnownPersonas personas)
    {
        Me = me;
        _request = request;
        Override = request.Speaker == PromptSpeaker.Personality ? me.OverrideFor(request.SpeakerId) : null;
        _overridePersona = Override?.PersonaId is { } persona ? new HeldPersona(personas.Of(persona, shared, user)) : null;
        _defaultPersona = new HeldPersona(personas.Of(me.DefaultPersonaId, shared, user));
        var key = new TenantScopedKey(user.Tenant, request.SpeakerId);
        if (request.Speaker == PromptSpeaker.Personality)
        {
            _shared = shared.Personality(key);
            _personality = new HeldSpeaker<PersonalityView>(_shared);
            _catalogue = AsksLikeOthers ? _shared.Catalogue : null;
        }
        else
        {
            _userPersona = new HeldSpeaker<UserPersonaView>(shared.UserPersona(key));
        }

        var known = shared.Tenant(user.Tenant);
        _tenant = new Held<TenantView>(known);
        _askCatalogue = known.Catalogue;
    }

    /// <summary>The catalogue is asked for nothing that this user or this request brings in.</summary>
    private bool AsksLikeOthers => Me.DefaultLlmConfig is null && Override?.LlmConfigId is null && _request.FocusMode is null;

    /// <summary>The user's own state that this was begun with; when it is another, so are the sources.</summary>
    public UserSide Me { get; }

    public OverrideView? Override { get; }

    public PersonalityView? Personality => _personality?.Value;

    public UserPersonaView? UserPersona => _userPersona?.Value;

    /// <summary>Of the persona that speaks.</summary>
    public PersonaText? PersonaText => Speaking.Text;

    public Prepared? Prepared => _personality?.Prepared ?? _userPersona?.Prepared;

    /// <summary>A mode was asked for, and the catalogue has no active one of that name.</summary>
    public bool HasNoFocusMode => _request.FocusMode is not null && _catalogue?.Excerpt.FocusMode is null;

    /// <summary>Tells one state of what is held from the next.</summary>
    public int Stamp { get; private set; }

    /// <summary>A default that an override covers shows only where every tier is explained.</summary>
    private bool NeedsDefault => Speaking == _defaultPersona || _request.Explain;

    private HeldPersona Speaking => _overridePersona is { Value: not null } chosen ? chosen : _defaultPersona;

    /// <summary>Asks every source again; true if all of them, from the first to the last, held what is held now.</summary>
    public async ValueTask<bool> Confirm()
    {
        var before = Stamp;
        await Ask(_personality);
        await Ask(_userPersona);
        await Ask(_overridePersona);
        if (NeedsDefault)
        {
            await Ask(_defaultPersona);
        }

        await Ask(_tenant);
        await AskCatalogue();
        return Stamp == before;
    }

    private ValueTask Ask<T>(Held<T>? source)
        where T : class
    {
        if (source is null)
        {
            return ValueTask.CompletedTask;
        }

        var moved = source.Moved();
        if (!moved.IsCompletedSuccessfully)
        {
            return Learn(moved);
        }

        Stamp += moved.Result ? 1 : 0;
        return ValueTask.CompletedTask;
    }

    private async ValueTask Learn(ValueTask<bool> moved)
    {
        if (await moved)
        {
            Stamp++;
        }
    }

    /// <summary>What the sources said, or null where one of them that must be there isn't.</summary>
    public PromptMaterial? ToMaterial()
    {
        if ((Personality is null && UserPersona is null) || Speaking.Value is null)
        {
            return null;
        }

        return new PromptMaterial
        {
            Me = Me,
            DefaultPersona = _defaultPersona.Value,
            OverridePersona = _overridePersona?.Value,
            Override = Override,
            Personality = Personality,
            UserPersona = UserPersona,
            Catalogue = _catalogue!.Excerpt,
            WithFocusMode = _request.FocusMode is not null,
            TenantSettings = _tenant.Value?.Settings ?? SettingsTier.Empty,
        };
    }

    private async ValueTask AskCatalogue()
    {
        var personality = Personality;
        var before = _catalogue;
        var question = before is not null && ReferenceEquals(personality, before.AskedFor)
            ? before.Question
            : PromptMaterial.Question(Me.DefaultLlmConfig, Override, personality, _request.FocusMode);
        var known = question == before?.Question ? before!.Excerpt.Version : NothingKnown;
        var snapshot = await _askCatalogue.Ask(known, question);
        var excerpt = snapshot.Kind == SnapshotKind.Unchanged ? before!.Excerpt : snapshot.Value ?? NoCatalogue;
        if (excerpt.Version == known && ReferenceEquals(personality, before!.AskedFor))
        {
            return;
        }

        Stamp += excerpt.Version == known ? 0 : 1;
        _catalogue = new CatalogueAnswer(personality, question, excerpt);
        if (_shared is not null && AsksLikeOthers)
        {
            _shared.Catalogue = _catalogue;
        }
    }
}
