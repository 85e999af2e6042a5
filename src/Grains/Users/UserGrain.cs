using System.Collections.Immutable;
using Npgsql;
using PersonaActors.Contracts.Catalogue;
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
/// One person, in the turns in which everything changes that is the user's: the user itself here, each part of it by its own
/// class. Reads interleave.
/// </summary>
public sealed class UserGrain(
    Database database, UserStore store, PersonaStore personas, UserPersonaStore userPersonas, PersonalityStore personalities, ChannelStore channels,
    MemoryStore memories, MemoryEmbedding embedding, Owners owners, Clock time) : Grain, IUserGrain
{
    private TenantScopedKey _key;
    private Owner _owner = null!;
    private UserWriter _user = null!;
    private OwnPersonas _personas = null!;
    private OwnLlmConfigs _llmConfigs = null!;
    private UserOverrides _overrides = null!;
    private UserMemories _memories = null!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        var stream = StreamName.User(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.User, _key), stream, () => _user.Row?.View.Version ?? 0, DeactivateOnIdle);
        _user = new UserWriter(database, store, _key, stream, _owner, time, DeactivateOnIdle);
        _personas = new OwnPersonas(_user, GrainFactory);
        _llmConfigs = new OwnLlmConfigs(_user, personalities);
        _overrides = new UserOverrides(_user, GrainFactory);
        _memories = new UserMemories(_user, memories, embedding);
        await _user.Load();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<UserSide>> Grant(SiloAddress holder) =>
        _owner.Grant(holder, () => _user.Row is { } user ? new UserSide(user.View, user.LlmConfigs, user.Overrides, user.Memories) : null);

    public Task<Read<UserView>?> Get() => Task.FromResult(_user.Read(_user.Row?.View));

    public Task Reload() => _user.Reload();

    public Task<Outcome<PersonaView>> CreatePersona(Command command, PersonaDraft draft) => _personas.Create(command, draft);

    public Task<Outcome<Nothing>> DeletePersona(Command command, Guid persona) => _personas.Delete(command, persona);

    public Task<Outcome<UserView>> SetDefaultPersona(Command command, Guid persona) => _personas.SetDefault(command, persona);

    public Task<Read<LlmConfigView>?> GetLlmConfig(Guid id) => Task.FromResult(_llmConfigs.Find(id));

    public Task<Outcome<LlmConfigView>> CreateLlmConfig(Command command, LlmConfigDraft draft) => _llmConfigs.Create(command, draft);

    public Task<Outcome<LlmConfigView>> UpdateLlmConfig(Command command, Guid id, LlmConfigChange change) => _llmConfigs.Update(command, id, change);

    public Task<Outcome<Nothing>> DeleteLlmConfig(Command command, Guid id) => _llmConfigs.Delete(command, id);

    public Task<Outcome<UserView>> ChangeSettings(Command command, SettingsChange change) => _overrides.ChangeSettings(command, change);

    public Task<Outcome<UserView>> SetDefaultLlmConfig(Command command, Guid? llmConfig) => _overrides.SetDefaultLlmConfig(command, llmConfig);

    public Task<Read<OverrideView>?> GetOverride(Guid personality) => Task.FromResult(_overrides.Find(personality));

    public Task<Outcome<OverrideView>> SetOverride(Command command, Guid personality, OverrideSlots slots) => _overrides.Set(command, personality, slots);

    public Task<Outcome<OverrideView>> ChangeOverrideSettings(Command command, Guid personality, SettingsChange change) =>
        _overrides.ChangeSettings(command, personality, change);

    public Task<Outcome<Nothing>> DeleteOverride(Command command, Guid personality) => _overrides.Delete(command, personality);

    public Task<Outcome<AddedMemories>> AddMemories(Command command, Items<NewUserMemory> given) => _memories.Add(command, given);

    public Task<Outcome<UserMemoryView>> UpdateMemory(Command command, Guid id, UserMemoryChange change) => _memories.Update(command, id, change);

    public Task<Outcome<Nothing>> DeleteMemory(Command command, Guid id) => _memories.Delete(command, id);

    public async Task<Outcome<UserView>> Register(Command command, UserRegistration registration)
    {
        if (UserRules.Check(registration) is { } refusal)
        {
            return refusal;
        }

        return _user.Row is { } known ? await Rename(command, known, registration) : await Create(command, registration);
    }

    public async Task<Refusal?> RegisterOnFirstUse(Command command)
    {
        if (_user.Row is not null)
        {
            return null;
        }

        return command.Actor.Kind == ActorKind.Service || command.Caller == Guid.Empty
            ? (await Create(command with { Id = Guid.NewGuid().ToString("N") }, new UserRegistration($"User {_key.Id}", null, null, [], IsPlaceholder: true))).Refusal
            : Refusal.NotFound("user");
    }

    private async Task<Outcome<UserView>> Create(Command command, UserRegistration registration)
    {
        var now = _user.Now();
        var placeholder = registration.IsPlaceholder || UserRules.IsPlaceholderFor(registration.Username, _key.Id, registration.Identities);
        var persona = new PersonaView(
            Guid.CreateVersion7(now), _key.Id, UserRules.DefaultPersonaName(registration.Username), null, registration.Bio ?? "",
            registration.DisplayName ?? registration.Username, null, 1, now, now);
        var user = new UserView(_key.Id, registration.Username, registration.Identities, persona.Id, "UTC", false, true, 1, now, now, null, SettingsTier.Empty);
        var outcome = Outcome<UserView>.Created(user);

        var batch = _user.Begin();
        UserStore.Insert(batch, _key.Tenant, user, placeholder);
        foreach (var identity in registration.Identities)
        {
            UserStore.InsertIdentity(batch, _key.Tenant, _key.Id, identity, now);
        }

        PersonaStore.Insert(batch, _key.Tenant, persona);
        UserStore.SetDefaultPersona(batch, _key.Tenant, _key.Id, persona.Id, now);
        batch.Append(_user.Stream, _key.Id, "user.registered", now, MergePatch.Created(user));
        batch.Append(_user.Stream, _key.Id, "persona.created", now, JsonText.From(new { persona }));
        batch.Answer(command, _key.Id, outcome, now);
        try
        {
            return outcome.After(await _user.Commit(batch, new UserRow(user, placeholder, 0, ImmutableDictionary<Guid, OverrideView>.Empty, [])));
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
            return await _user.Unchanged(command, known);
        }

        // The persona first: if this ends in between, the user is still a placeholder, and the next registration goes on.
        await _personas.RenameDefault(command, known.View, registration);
        return await _user.Change(command, known, known.View with { Username = registration.Username }, isPlaceholder: false);
    }

    public async Task<Outcome<UserView>> Update(Command command, UserChange change)
    {
        if (_user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        if (UserRules.Check(change) is { } invalid)
        {
            return invalid;
        }

        var known = _user.Row!;
        var next = known.View with
        {
            Username = change.Username.Over(known.View.Username)!,
            TimeZone = change.TimeZone.Over(known.View.TimeZone) ?? "UTC",
            IsFree = change.IsFree.Over(known.View.IsFree) ?? false,
            IsActive = change.IsActive.Over(known.View.IsActive) ?? true,
        };
        return next == known.View
            ? await _user.Unchanged(command, known)
            : await _user.Change(command, known, next, known.IsPlaceholder && !change.Username.IsSet);
    }

    public async Task<Outcome<UserView>> AttachIdentity(Command command, UserIdentity identity)
    {
        if (_user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        if (UserRules.CheckIdentity(identity, "identity") is { } invalid)
        {
            return invalid;
        }

        var known = _user.Row!;
        if (known.View.Identities.Contains(identity))
        {
            return await _user.Unchanged(command, known);
        }

        if (known.View.Identities.Count >= UserRules.MaxIdentities)
        {
            return Refusal.Conflict("too_many_identities", $"A user has at most {UserRules.MaxIdentities} identities.");
        }

        try
        {
            return await _user.Change(command, known, known.View with { Identities = [.. known.View.Identities, identity] }, known.IsPlaceholder,
                (batch, now) => UserStore.InsertIdentity(batch, _key.Tenant, _key.Id, identity, now));
        }
        catch (PostgresException e) when (e.IsUnique(UserStore.IdentityKey))
        {
            return Refusal.Conflict(UserRefusals.IdentityConflict, "The identity belongs to another user.");
        }
    }

    public async Task<Outcome<UserView>> DetachIdentity(Command command, UserIdentity identity)
    {
        if (_user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        var known = _user.Row!;
        if (!known.View.Identities.Contains(identity))
        {
            return Refusal.NotFound("identity");
        }

        return await _user.Change(command, known, known.View with { Identities = [.. known.View.Identities.Where(other => other != identity)] }, known.IsPlaceholder,
            (batch, _) => UserStore.DeleteIdentity(batch, _key.Tenant, _key.Id, identity));
    }

    public async Task<Outcome<Nothing>> Delete(Command command)
    {
        if (_user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        var now = _user.Now();
        var outcome = Outcome<Nothing>.Deleted();
        var theirPersonas = await personas.Ids(_key.Tenant, _key.Id);
        var theirAssistants = await userPersonas.Ids(_key.Tenant, _key.Id);
        var theirPersonalities = await personalities.OfUser(_key.Tenant, _key.Id);
        var theirChannels = await channels.OfUser(_key.Tenant, _key.Id);
        // What outlives the user isn't theirs: the answer, and what is still to be done.
        var batch = database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);
        UserStore.Delete(batch, _key.Tenant, _key.Id, _user.Row!.View.Version);
        batch.Append(_user.Stream, _key.Id, EventTypes.UserDeleted, now, JsonText.EmptyObject);
        batch.Task(EraseUser.Kind, JsonText.From(new EraseUser.Payload(_key.Id)), now);
        batch.Task(ForgetDeleted.Kind, JsonText.From(new ForgetDeleted.Payload(_key.Id, true, theirPersonas, theirAssistants)), now);
        var left = theirPersonalities.ToDictionary(theirs => theirs.Personality, theirs => theirs.Role);
        batch.Task(LeavePersonalities.Kind, JsonText.From(new LeavePersonalities.Payload(_key.Id, left, theirChannels)), now + LeavePersonalities.After);
        batch.Answer(command, null, outcome, now);
        outcome = outcome.After(await _owner.Commit(batch, _ => _user.Forget()));
        DeactivateOnIdle();
        // What went with the user by cascade, and may be in memory.
        await Task.WhenAll(theirPersonas.Select(id => GrainFactory.Of<IPersonaGrain>(new OwnedKey(_key.Tenant, _key.Id, id)).Forget()));
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
}
