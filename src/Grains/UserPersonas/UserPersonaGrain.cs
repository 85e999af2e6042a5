using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.UserPersonas;

namespace PersonaActors.Grains.UserPersonas;

/// <summary>
/// One AI assistant of a user: only the owner changes it, whoever may use it is counted. A use moves the count and not the
/// version, so that prompts stay what they are while it is used.
/// </summary>
public sealed class UserPersonaGrain(Database database, UserPersonaStore store, Owners owners, Clock time) : Grain, IUserPersonaGrain
{
    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private UserPersonaRow? _state;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.UserPersona(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.UserPersona, _key), _stream, () => _state?.View.Version ?? 0, DeactivateOnIdle);
        _state = await store.Load(_key.Tenant, _key.Id, _owner.Epoch);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<UserPersonaView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public Task<Read<UserPersonaView>?> Get() =>
        Task.FromResult(_state is { } persona ? new Read<UserPersonaView>(persona.View, database.Epoch, persona.Seq) : null);

    public Task<Outcome<UserPersonaView>> Create(Command command, Guid owner, UserPersonaDraft draft)
    {
        var now = Now();
        return Create(command, draft.ToView(_key.Id, owner, now), now);
    }

    public async Task<Outcome<UserPersonaView>> CreateCopy(Command command, Guid owner, Guid original)
    {
        var found = await GrainFactory.Of<IUserPersonaGrain>(new TenantScopedKey(_key.Tenant, original)).Get();
        if (found?.Value is not { } from || !from.MayUse(owner))
        {
            return Refusal.NotFound("user_persona");
        }

        var now = Now();
        return await Create(command, UserPersonaRules.Copy(from, _key.Id, owner, now), now, from);
    }

    private async Task<Outcome<UserPersonaView>> Create(Command command, UserPersonaView persona, DateTimeOffset now, UserPersonaView? copied = null)
    {
        if (_state is { } there)
        {
            // The id is fresh, so this is a repeat by the gateway of a try that happened; its answer is stored.
            return Outcome<UserPersonaView>.Created(there.View);
        }

        if (UserPersonaRules.Check(persona, copied) is { } invalid)
        {
            return invalid;
        }

        var outcome = Outcome<UserPersonaView>.Created(persona);
        var batch = BeginAs(persona.OwnerId);
        UserPersonaStore.Insert(batch, _key.Tenant, persona);
        batch.Append(_stream, persona.OwnerId, "user-persona.created", now, MergePatch.Created(persona));
        batch.Answer(command, persona.OwnerId, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, persona));
        }
        catch (PostgresException e) when (e.IsForeignKey(UserPersonaStore.OwnerReference))
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task<Outcome<UserPersonaView>> Update(Command command, Guid user, UserPersonaChange change)
    {
        if (MayChange(command, user) is { } refusal)
        {
            return refusal;
        }

        var known = _state!.View;
        var next = change.Over(known);
        if (UserPersonaRules.Check(next, known) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        if (next == known)
        {
            return await _owner.Unchanged(BeginAs(known.OwnerId), command, known.OwnerId, Outcome<UserPersonaView>.Done(known).Since(database.Epoch, _state!.Seq), now);
        }

        next = next with { Version = known.Version + 1, UpdatedAt = now };
        var outcome = Outcome<UserPersonaView>.Done(next);
        var batch = BeginAs(known.OwnerId);
        UserPersonaStore.Update(batch, _key.Tenant, next);
        batch.Append(_stream, known.OwnerId, EventTypes.UserPersonaUpdated, now, MergePatch.Between(known, next));
        batch.Answer(command, known.OwnerId, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<Nothing>> Delete(Command command, Guid user)
    {
        if (MayChange(command, user) is { } refusal)
        {
            return refusal;
        }

        var known = _state!.View;
        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        var batch = BeginAs(known.OwnerId);
        UserPersonaStore.Delete(batch, _key.Tenant, known);
        batch.Append(_stream, known.OwnerId, EventTypes.UserPersonaDeleted, now, JsonText.EmptyObject);
        batch.Answer(command, known.OwnerId, outcome, now);
        outcome = outcome.After(await _owner.Commit(batch, _ => _state = null));
        DeactivateOnIdle();
        return outcome;
    }

    public async Task<Outcome<UserPersonaUsage>> Use(Command command, Guid user, UserPersonaUse use)
    {
        if (_state is not { View: var known } || !known.MayUse(user))
        {
            return Refusal.NotFound("user_persona");
        }

        if (UserPersonaRules.Check(use) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        var next = known with { UsageCount = known.UsageCount + 1 };
        var usage = new UserPersonaUsage(Guid.CreateVersion7(now), known.Id, user, use.Channel, use.Tokens, now, next.UsageCount);
        var outcome = Outcome<UserPersonaUsage>.Created(usage);
        // The counter is the owner's row and the log row the user's: both are seen by tenant-wide work only.
        var batch = database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);
        UserPersonaStore.Use(batch, _key.Tenant, usage);
        batch.Append(_stream, known.OwnerId, "user-persona.used", now, MergePatch.Between(known, next));
        batch.Answer(command, user, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, next));
        }
        catch (PostgresException e) when (e.IsForeignKey(UserPersonaStore.UsageUserReference))
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task Forget()
    {
        await _owner.Change(() =>
        {
            _state = null;
            return Task.CompletedTask;
        });
        DeactivateOnIdle();
    }

    private Refusal? MayChange(Command command, Guid user)
    {
        if (_state is not { View: var known } || !known.MayUse(user))
        {
            return Refusal.NotFound("user_persona");
        }

        if (known.OwnerId != user)
        {
            return Refusal.Forbidden("owner_only", "Only its owner changes or deletes a user persona; make a copy of it to have your own.");
        }

        return command.Stale(known.Version);
    }

    private Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, UserPersonaView next) => _owner.Commit(batch, events => _state = new UserPersonaRow(next, events[^1].Seq));

    private ScopedBatch BeginAs(Guid owner) => database.Begin(RowScope.OfUser(_key.Tenant, owner), _owner.Epoch);

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
