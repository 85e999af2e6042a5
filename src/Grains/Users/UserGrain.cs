using System.Collections.Immutable;
using Npgsql;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Outbox;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Personas;
using PersonaActors.Storage.UserPersonas;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>
/// One person. Every command computes the next state, commits it with its events and its answer, and only then changes
/// what is in memory and announces. Reads interleave: they see the last committed state, whole, because it is one reference.
/// </summary>
public sealed partial class UserGrain(
    Database database, UserStore store, PersonaStore personas, UserPersonaStore userPersonas, PersonalityStore personalities, ChannelStore channels,
    MemoryStore memories, MemoryEmbedding embedding, Owners owners, Clock time) : Grain, IUserGrain
{
    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private UserRow? _user;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.User(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.User, _key), _stream, () => _user?.View.Version ?? 0, DeactivateOnIdle);
        _user = await store.Load(_key.Tenant, _key.Id, _owner.Epoch);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<UserSide>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _user is { } user ? new UserSide(user.View, user.LlmConfigs, user.Overrides, user.Memories) : null);

    public Task<Read<UserView>?> Get() =>
        Task.FromResult(_user is { } user ? new Read<UserView>(user.View, database.Epoch, user.Seq) : null);

    public async Task<Outcome<UserView>> Register(Command command, UserRegistration registration)
    {
        if (UserRules.Check(registration) is { } refusal)
        {
            return refusal;
        }

        return _user is { } known ? await Rename(command, known, registration) : await Create(command, registration);
    }

    public async Task<Refusal?> RegisterOnFirstUse(Command command)
    {
        if (_user is not null)
        {
            return null;
        }

        return command.Actor.Kind == ActorKind.Service || command.Caller == Guid.Empty
            ? (await Create(command with { Id = Guid.NewGuid().ToString("N") }, new UserRegistration($"User {_key.Id}", null, null, [], IsPlaceholder: true))).Refusal
            : Refusal.NotFound("user");
    }

    private async Task<Outcome<UserView>> Create(Command command, UserRegistration registration)
    {
        var now = Now();
        var placeholder = registration.IsPlaceholder || UserRules.IsPlaceholderFor(registration.Username, _key.Id, registration.Identities);
        var persona = new PersonaView(
            Guid.CreateVersion7(now), _key.Id, UserRules.DefaultPersonaName(registration.Username), null, registration.Bio ?? "",
            registration.DisplayName ?? registration.Username, null, 1, now, now);
        var user = new UserView(_key.Id, registration.Username, registration.Identities, persona.Id, "UTC", false, true, 1, now, now, null, SettingsTier.Empty);
        var outcome = Outcome<UserView>.Created(user);

        var batch = Begin();
        UserStore.Insert(batch, _key.Tenant, user, placeholder);
        foreach (var identity in registration.Identities)
        {
            UserStore.InsertIdentity(batch, _key.Tenant, _key.Id, identity, now);
        }

        PersonaStore.Insert(batch, _key.Tenant, persona);
        UserStore.SetDefaultPersona(batch, _key.Tenant, _key.Id, persona.Id, now);
        batch.Append(_stream, _key.Id, "user.registered", now, MergePatch.Created(user));
        batch.Append(_stream, _key.Id, "persona.created", now, JsonText.From(new { persona }));
        batch.Answer(command, _key.Id, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, new UserRow(user, placeholder, 0, ImmutableDictionary<Guid, OverrideView>.Empty, [])));
        }
        catch (PostgresException e) when (e.IsUnique(UserStore.IdentityKey))
        {
            // Somebody registered one of the identities in the meantime; this activation is about a user that never was.
            DeactivateOnIdle();
            return Refusal.Conflict(UserRefusals.IdentityTaken, "One of the identities belongs to another user.", "identities");
        }
    }

    /// <summary>A later registration changes nothing but a placeholder; new identities are attached by their own command only.</summary>
    private async Task<Outcome<UserView>> Rename(Command command, UserRow known, UserRegistration registration)
    {
        var realName = !registration.IsPlaceholder && !UserRules.IsPlaceholderFor(registration.Username, _key.Id, registration.Identities);
        if (!known.IsPlaceholder || !realName)
        {
            return await Unchanged(command, known);
        }

        // The persona first: if this ends in between, the user is still a placeholder, and the next registration goes on.
        await RenameDefaultPersona(command, known.View, registration);
        return await Change(command, known, known.View with { Username = registration.Username }, isPlaceholder: false);
    }

    public async Task<Outcome<UserView>> Update(Command command, UserChange change)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        if (UserRules.Check(change) is { } invalid)
        {
            return invalid;
        }

        var known = _user!;
        var next = known.View with
        {
            Username = change.Username.Over(known.View.Username)!,
            TimeZone = change.TimeZone.Over(known.View.TimeZone) ?? "UTC",
            IsFree = change.IsFree.Over(known.View.IsFree) ?? false,
            IsActive = change.IsActive.Over(known.View.IsActive) ?? true,
        };
        return next == known.View
            ? await Unchanged(command, known)
            : await Change(command, known, next, known.IsPlaceholder && !change.Username.IsSet);
    }

    public async Task<Outcome<UserView>> AttachIdentity(Command command, UserIdentity identity)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        if (UserRules.CheckIdentity(identity, "identity") is { } invalid)
        {
            return invalid;
        }

        var known = _user!;
        if (known.View.Identities.Contains(identity))
        {
            return await Unchanged(command, known);
        }

        if (known.View.Identities.Count >= UserRules.MaxIdentities)
        {
            return Refusal.Conflict("too_many_identities", $"A user has at most {UserRules.MaxIdentities} identities.");
        }

        try
        {
            return await Change(command, known, known.View with { Identities = [.. known.View.Identities, identity] }, known.IsPlaceholder, identity);
        }
        catch (PostgresException e) when (e.IsUnique(UserStore.IdentityKey))
        {
            return Refusal.Conflict(UserRefusals.IdentityConflict, "The identity belongs to another user.");
        }
    }

    public async Task<Outcome<UserView>> DetachIdentity(Command command, UserIdentity identity)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        var known = _user!;
        if (!known.View.Identities.Contains(identity))
        {
            return Refusal.NotFound("identity");
        }

        return await Change(command, known, known.View with { Identities = [.. known.View.Identities.Where(other => other != identity)] }, known.IsPlaceholder, removed: identity);
    }

    public async Task<Outcome<Nothing>> Delete(Command command)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        var theirPersonas = await personas.Ids(_key.Tenant, _key.Id);
        var theirAssistants = await userPersonas.Ids(_key.Tenant, _key.Id);
        var theirPersonalities = await personalities.OfUser(_key.Tenant, _key.Id);
        var theirChannels = await channels.OfUser(_key.Tenant, _key.Id);
        // What outlives the user isn't theirs: the answer, and what is still to be done.
        var batch = database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);
        UserStore.Delete(batch, _key.Tenant, _key.Id, _user!.View.Version);
        batch.Append(_stream, _key.Id, EventTypes.UserDeleted, now, JsonText.EmptyObject);
        batch.Task(EraseUser.Kind, JsonText.From(new EraseUser.Payload(_key.Id)), now);
        batch.Task(ForgetDeleted.Kind, JsonText.From(new ForgetDeleted.Payload(_key.Id, true, theirPersonas, theirAssistants)), now);
        var left = theirPersonalities.ToDictionary(theirs => theirs.Personality, theirs => theirs.Role);
        batch.Task(LeavePersonalities.Kind, JsonText.From(new LeavePersonalities.Payload(_key.Id, left, theirChannels)), now + LeavePersonalities.After);
        batch.Answer(command, null, outcome, now);
        outcome = outcome.After(await _owner.Commit(batch, _ => _user = null));
        DeactivateOnIdle();
        // What went with the user by cascade, and may be in memory.
        await Task.WhenAll(theirPersonas.Select(id => Persona(id).Forget()));
        await Task.WhenAll(
            GrainFactory.Of<ICompanionGrain>(_key).Forget(), GrainFactory.Of<IPersonSessionsGrain>(_key).Forget(), GrainFactory.Of<IMindscapeGrain>(_key).Forget());
        foreach (var (id, role) in theirPersonalities)
        {
            await GrainFactory.Of<IPersonalityGrain>(new TenantScopedKey(_key.Tenant, id)).Forget(new PersonalityOwner(_key.Id, role), mayKnow: false);
        }

        await Task.WhenAll(theirChannels.Select(id => GrainFactory.Of<IChannelGrain>(new ChannelKey(_key.Tenant, id)).ForgetUser(_key.Id)));
        await Task.WhenAll(theirAssistants.Select(id => GrainFactory.Of<IUserPersonaGrain>(new TenantScopedKey(_key.Tenant, id)).Forget()));
        return outcome;
    }

    private async Task<Outcome<UserView>> Change(Command command, UserRow known, UserView next, bool isPlaceholder, UserIdentity? added = null, UserIdentity? removed = null)
    {
        var now = Now();
        next = next with { Version = known.View.Version + 1, UpdatedAt = now };
        var outcome = Outcome<UserView>.Done(next);
        var batch = Begin();
        UserStore.Update(batch, _key.Tenant, next, isPlaceholder);
        if (added is not null)
        {
            UserStore.InsertIdentity(batch, _key.Tenant, _key.Id, added, now);
        }

        if (removed is not null)
        {
            UserStore.DeleteIdentity(batch, _key.Tenant, _key.Id, removed);
        }

        if (next.DefaultPersonaId != known.View.DefaultPersonaId)
        {
            UserStore.SetDefaultPersona(batch, _key.Tenant, _key.Id, next.DefaultPersonaId, now);
        }

        if (next.DefaultLlmConfigId != known.View.DefaultLlmConfigId)
        {
            UserStore.SetDefaultLlmConfig(batch, _key.Tenant, _key.Id, next.DefaultLlmConfigId, now);
        }

        batch.Append(_stream, _key.Id, next.IsActive == known.View.IsActive ? "user.updated" : EventTypes.UserAccessChanged, now, MergePatch.Between(known.View, next));
        if (known.View.IsActive && !next.IsActive)
        {
            batch.Task(EndLiveSession.Kind, JsonText.From(new EndLiveSession.Payload(_key.Id)), now);
        }

        batch.Answer(command, _key.Id, outcome, now);
        return outcome.After(await Commit(batch, known with { View = next, IsPlaceholder = isPlaceholder }));
    }

    /// <summary>
    /// A change of what belongs to the user beside what GET of it shows. It raises the user's version all the same: that is
    /// what refuses another activation that doesn't know of it.
    /// </summary>
    /// <param name="part">What the event names beside the changes.</param>
    private async Task<Outcome<T>> Change<T>(
        Command command, UserRow known, UserRow next, string type, string part, object value, Outcome<T> outcome, Action<ScopedBatch> rows)
        where T : class
    {
        var batch = Begin();
        UserStore.Update(batch, _key.Tenant, next.View, next.IsPlaceholder);
        rows(batch);
        batch.Append(_stream, _key.Id, type, next.View.UpdatedAt, MergePatch.Between(known.View, next.View, part, value));
        batch.Answer(command, _key.Id, outcome, next.View.UpdatedAt);
        return outcome.After(await Commit(batch, next));
    }

    private Task<Outcome<UserView>> Unchanged(Command command, UserRow known) => Unchanged(command, known, known.View);

    private Task<Outcome<T>> Unchanged<T>(Command command, UserRow known, T value)
        where T : class => _owner.Unchanged(Begin(), command, _key.Id, Outcome<T>.Done(value).Since(database.Epoch, known.Seq), Now());

    /// <summary>The user as it will be, but for what the command changes.</summary>
    private UserRow Next(UserRow known) => known with { View = known.View with { Version = known.View.Version + 1, UpdatedAt = Now() } };

    private Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, UserRow next) => _owner.Commit(batch, events => _user = next with { Seq = events[^1].Seq });

    /// <summary>What every command on an existing user checks first; refused, or done with what is there.</summary>
    private Outcome<UserView> Found(Command command)
    {
        if (_user is not { } user)
        {
            return Refusal.NotFound("user");
        }

        return command.Stale(user.View.Version) is { } stale ? stale : Outcome<UserView>.Done(user.View);
    }

    private ScopedBatch Begin() => database.Begin(RowScope.OfUser(_key.Tenant, _key.Id), _owner.Epoch);

    /// <summary>PostgreSQL keeps microseconds; what is in memory must equal what a fresh activation loads.</summary>
    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
