using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Grains.Tenants;

/// <summary>
/// One tenant, its settings and its keys. Keys are rows of their own and not held here: the command line writes them too,
/// while no grain runs. What they change is told on the tenant's stream, which the gateways' key rings follow.
/// </summary>
public sealed class TenantGrain(Database database, TenantStore store, ApiKeyStore keys, Owners owners, Clock time) : Grain, ITenantGrain
{
    private const int DefaultRetentionDays = 7;

    private Guid _tenant;
    private string _stream = "";
    private Owner _owner = null!;
    private TenantRow? _state;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _tenant = TenantKey.Parse(this.GetPrimaryKeyString()).Tenant;
        _stream = StreamName.Tenant(_tenant);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Tenant, new TenantKey(_tenant)), _stream, () => _state?.View.Version ?? 0, DeactivateOnIdle);
        _state = await store.Load(_tenant, _owner.Epoch);
    }

    public Task<Read<TenantView>?> Get() =>
        Task.FromResult(_state is { } row ? new Read<TenantView>(row.View, database.Epoch, row.Seq) : null);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<TenantView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public async Task<Outcome<TenantView>> Create(Command command, TenantDraft draft)
    {
        if (TenantRules.Check(draft) is { } refusal)
        {
            return refusal;
        }

        if (_state is { } known)
        {
            return await Unchanged(command, known);
        }

        var now = Now();
        var tenant = new TenantView(_tenant, draft.Name, draft.DisplayName, DefaultRetentionDays, 1, now, now, SettingsTier.Empty, DefaultRetentionDays);
        var outcome = Outcome<TenantView>.Created(tenant);
        var batch = database.Begin(RowScope.OfOperator(_tenant), _owner.Epoch);
        TenantStore.Insert(batch, tenant);
        foreach (var (name, configuration) in ShippedMappers.All)
        {
            MapperStore.Insert(batch, _tenant, new MapperVersionView(Guid.CreateVersion7(now), name, 1, configuration, MapperStatus.Active, 0, now, now, null));
        }

        batch.Append(_stream, null, "tenant.created", now, MergePatch.Created(tenant));
        batch.Answer(command, null, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, tenant));
        }
        catch (PostgresException e) when (e.IsUnique(TenantStore.NameKey))
        {
            DeactivateOnIdle();
            return Refusal.Conflict("tenant_name_taken", $"A tenant named '{draft.Name}' exists.", "name");
        }
    }

    public async Task<Outcome<TenantView>> Update(Command command, TenantChange change)
    {
        if (_state is not { } known)
        {
            return Refusal.NotFound("tenant");
        }

        if (command.Stale(known.View.Version) is { } stale)
        {
            return stale;
        }

        return TenantRules.Check(change) is { } refusal ? refusal : await Change(command, known, known.View with
        {
            DisplayName = change.DisplayName.Over(known.View.DisplayName)!,
            EventRetentionDays = change.EventRetentionDays.Over(known.View.EventRetentionDays) ?? DefaultRetentionDays,
        });
    }

    public async Task<Outcome<TenantView>> ChangeSettings(Command command, TenantSettingsChange change)
    {
        if (_state is not { } known)
        {
            return Refusal.NotFound("tenant");
        }

        if (command.Stale(known.View.Version) is { } stale)
        {
            return stale;
        }

        var next = known.View with
        {
            Settings = change.Over(known.View.Settings),
            ConversationRetentionDays = change.ConversationRetentionDays.Over(known.View.ConversationRetentionDays) ?? DefaultRetentionDays,
        };
        return TenantRules.CheckSettings(next) is { } refusal ? refusal : await Change(command, known, next);
    }

    private async Task<Outcome<TenantView>> Change(Command command, TenantRow known, TenantView next)
    {
        if (next == known.View)
        {
            return await Unchanged(command, known);
        }

        var now = Now();
        next = next with { Version = known.View.Version + 1, UpdatedAt = now };
        var outcome = Outcome<TenantView>.Done(next);
        var batch = Begin();
        TenantStore.Update(batch, next);
        batch.Append(_stream, null, "tenant.updated", now, MergePatch.Between(known.View, next));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    private Task<Outcome<TenantView>> Unchanged(Command command, TenantRow known) => _owner.Unchanged(
        Begin(), command, null, Outcome<TenantView>.Done(known.View).Since(database.Epoch, known.Seq), Now());

    public async Task<Outcome<ApiKeyView>> AddKey(Command command, NewApiKey key)
    {
        if (_state is null)
        {
            return Refusal.NotFound("tenant");
        }

        if (TenantRules.Check(key) is { } refusal)
        {
            return refusal;
        }

        if (key.Kind == ApiKeyKind.Operator)
        {
            return Refusal.Invalid("kind", "An operator key belongs to no tenant: make it on the command line (keys create --operator).");
        }

        var now = Now();
        var view = new ApiKeyView(key.Id, key.Kind, key.Name, key.Prefix, key.UserId, key.MayDelegate, now, null);
        var outcome = Outcome<ApiKeyView>.Created(view);
        var batch = Begin();
        ApiKeyStore.Insert(batch, _tenant, key, now);
        batch.Append(_stream, null, "key.created", now, JsonText.From(new { key = view }));
        batch.Answer(command, null, outcome, now);
        try
        {
            return outcome.After(await CommitKey(batch));
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task<Outcome<IssuedKey>> IssueKey(Command command, NewApiKey key, Guid? user)
    {
        if (_state is null)
        {
            return Refusal.NotFound("tenant");
        }

        if (user is { } first)
        {
            if (await store.FindKey(_tenant, first) is not { Kind: ApiKeyKind.Service, Name: var name } || !name.Contains('@'))
            {
                return Refusal.NotFound("user");
            }

            key = key with { Name = name };
        }

        if (TenantRules.Check(key) is { } refusal)
        {
            return refusal;
        }

        var named = await keys.Named(_tenant, key.Name);
        var former = named.Where(row => row.RevokedAt is null).Select(row => row.ToView()).ToList();
        if (user is null && former.Count > 0)
        {
            return Refusal.Conflict(TenantRefusals.NameInUse, $"User with email '{key.Name}' already exists", "email");
        }

        var now = Now();
        var view = new ApiKeyView(key.Id, key.Kind, key.Name, key.Prefix, null, key.MayDelegate, now, null);
        var outcome = Outcome<IssuedKey>.Created(new IssuedKey(named.Count > 0 ? named[0].Id : key.Id, view, former.Select(one => one.Id).ToItems()));
        var batch = Begin();
        foreach (var one in former)
        {
            ApiKeyStore.Revoke(batch, one.Id, now);
            batch.Append(_stream, null, EventTypes.KeyRevoked, now, JsonText.From(new { key = one with { RevokedAt = now } }));
        }

        ApiKeyStore.Insert(batch, _tenant, key, now);
        batch.Append(_stream, null, "key.created", now, JsonText.From(new { key = view }));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await CommitKey(batch));
    }

    public async Task<Outcome<ApiKeyView>> RenameKey(Command command, Guid keyId, ApiKeyChange change)
    {
        if (await store.FindKey(_tenant, keyId) is not { } known)
        {
            return Refusal.NotFound("key");
        }

        var next = known with { Name = change.Name.Over(known.Name)! };
        if (TenantRules.CheckKeyName(next.Name) is { } refusal)
        {
            return refusal;
        }

        var now = Now();
        var outcome = Outcome<ApiKeyView>.Done(next);
        if (next == known)
        {
            return await _owner.Unchanged(Begin(), command, null, outcome, now);
        }

        var batch = Begin();
        ApiKeyStore.Rename(batch, keyId, next.Name);
        batch.Append(_stream, null, "key.updated", now, JsonText.From(new { key = next }));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await CommitKey(batch));
    }

    public async Task<Outcome<Nothing>> Delete(Command command, string? confirm)
    {
        if (_state is not { } known)
        {
            return Refusal.NotFound("tenant");
        }

        if (command.Stale(known.View.Version) is { } stale)
        {
            return stale;
        }

        if (confirm != known.View.Name)
        {
            return Refusal.Conflict(TenantRefusals.Unconfirmed,
                $"This deletes the tenant '{known.View.DisplayName}' with all its users, keys and characters, for good. To do it, repeat with ?confirm={known.View.Name}.", "confirm");
        }

        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        // The answer too: what lies with the tenant goes with it.
        var batch = database.Begin(RowScope.OfOperator());
        TenantStore.Delete(batch, known.View);
        batch.Append(StreamName.System, null, EventTypes.TenantDeleted, now, JsonText.From(new { tenantId = _tenant }));
        batch.Answer(command, null, outcome, now);
        outcome = outcome.After(await _owner.Commit(batch, _ => _state = null));
        DeactivateOnIdle();
        return outcome;
    }

    public async Task<Outcome<ApiKeyView>> RevokeKey(Command command, Guid keyId)
    {
        var known = await store.FindKey(_tenant, keyId);
        if (known is null)
        {
            return Refusal.NotFound("key");
        }

        if (known.RevokedAt is not null)
        {
            return await _owner.Unchanged(Begin(), command, null, Outcome<ApiKeyView>.Deleted(known), Now());
        }

        var now = Now();
        var revoked = known with { RevokedAt = now };
        var outcome = Outcome<ApiKeyView>.Deleted(revoked);
        var batch = Begin();
        ApiKeyStore.Revoke(batch, keyId, now);
        batch.Append(_stream, null, EventTypes.KeyRevoked, now, JsonText.From(new { key = revoked }));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await CommitKey(batch));
    }

    private ScopedBatch Begin() => database.Begin(RowScope.OfTenant(_tenant), _owner.Epoch);

    private Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, TenantView next) => _owner.Commit(batch, events => _state = new TenantRow(next, events[^1].Seq));

    /// <summary>Events about keys move the stream, not the tenant.</summary>
    private Task<IReadOnlyList<StreamEvent>> CommitKey(ScopedBatch batch) => _owner.Commit(batch, events => _state = _state is { } row ? row with { Seq = events[^1].Seq } : null);

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
