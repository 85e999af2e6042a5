using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Grains.Catalogue;

/// <summary>
/// What a tenant offers to all its members. Reads interleave: they see the last committed state, whole, because it is one
/// reference. The system's focus modes are held by the system's catalogue.
/// </summary>
public sealed class CatalogueGrain(
    Database database, CatalogueStore store, LlmConfigStore configs, PersonalityStore personalities, Owners owners,
    Clock time) : Grain, ICatalogueGrain
{
    public const int MaxOfAKind = 500;

    private static readonly Refusal AdminOnly = Refusal.Forbidden(
        "admin_only", "What belongs to the whole tenant is changed with an admin's or operator's key, or a service key that names no user.");

    private static readonly Refusal OperatorOnly = Refusal.Forbidden("operator_only", "Only an operator's key makes or changes system modes.");

    private Guid? _tenant;
    private string _stream = "";
    private Owner _owner = null!;
    private CatalogueState _state = null!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = TenantKey.Parse(this.GetPrimaryKeyString());
        _tenant = key == TenantKey.System ? null : key.Tenant;
        _stream = StreamName.Catalogue(_tenant);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Catalogue, key), _stream, () => _state?.Version ?? 0, DeactivateOnIdle);
        _state = CatalogueState.Of(await store.Load(_tenant, _owner.Epoch, configs));
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<CatalogueView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state.ToView());

    public Task<Read<CatalogueView>> Get() => Task.FromResult(new Read<CatalogueView>(_state.ToView(), database.Epoch, _state.Seq));

    public Task<Read<SystemPromptView>?> GetSystemPrompt(Guid id) => Task.FromResult(Read(_state.SystemPrompts.GetValueOrDefault(id)));

    public Task<Read<LlmConfigView>?> GetLlmConfig(Guid id) => Task.FromResult(Read(_state.LlmConfigs.GetValueOrDefault(id)));

    public Task<Read<FocusModeView>?> GetFocusMode(Guid id) => Task.FromResult(Read(_state.FocusModes.GetValueOrDefault(id)));

    private Read<T>? Read<T>(T? value)
        where T : class => value is null ? null : new Read<T>(value, database.Epoch, _state.Seq);

    public async Task<Outcome<SystemPromptView>> CreateSystemPrompt(Command command, SystemPromptDraft draft)
    {
        var now = Now();
        var prompt = draft.ToView(Guid.CreateVersion7(now), now);
        return (MayWrite(command) ?? SystemPromptRules.Check(prompt) ?? CheckRoom(_state.SystemPrompts.Count, "system prompts")) is { } refusal
            ? refusal
            : await Commit(command, Outcome<SystemPromptView>.Created(prompt), change => change.Put(prompt), now);
    }

    public async Task<Outcome<SystemPromptView>> UpdateSystemPrompt(Command command, Guid id, SystemPromptChange change)
    {
        if (!_state.SystemPrompts.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("system_prompt");
        }

        var now = Now();
        var next = change.Over(known);
        if ((MayWrite(command) ?? command.Stale(known.Version) ?? SystemPromptRules.Check(next, known)) is { } refusal)
        {
            return refusal;
        }

        if (next == known)
        {
            return await Unchanged(command, known, now);
        }

        next = next with { Version = known.Version + 1, UpdatedAt = now };
        return await Commit(command, Outcome<SystemPromptView>.Done(next), to => to.Put(next), now);
    }

    public async Task<Outcome<Nothing>> DeleteSystemPrompt(Command command, Guid id)
    {
        if (!_state.SystemPrompts.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("system_prompt");
        }

        return (MayWrite(command) ?? command.Stale(known.Version)) is { } refusal
            ? refusal
            : await Commit(command, Outcome<Nothing>.Deleted(), change => change.Remove(known), Now());
    }

    public async Task<Outcome<LlmConfigView>> CreateLlmConfig(Command command, LlmConfigDraft draft)
    {
        var now = Now();
        var config = draft.ToView(Guid.CreateVersion7(now), null, now);
        return (MayWrite(command) ?? LlmConfigRules.Check(config) ?? CheckName(config) ?? CheckRoom(_state.LlmConfigs.Count, "LLM configs")) is { } refusal
            ? refusal
            : await Commit(command, Outcome<LlmConfigView>.Created(config), change => change.Put(config), now);
    }

    public async Task<Outcome<LlmConfigView>> UpdateLlmConfig(Command command, Guid id, LlmConfigChange change)
    {
        if (!_state.LlmConfigs.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("llm_config");
        }

        var now = Now();
        var next = change.Over(known) with { OwnerId = change.OwnerId.Over(null) };
        if ((MayWrite(command) ?? command.Stale(known.Version) ?? LlmConfigRules.Check(next, known) ?? (next.IsGlobal ? CheckName(next) : null)) is { } refusal)
        {
            return refusal;
        }

        if (next == known)
        {
            return await Unchanged(command, known, now);
        }

        next = next with { Version = known.Version + 1, UpdatedAt = now };
        return next.OwnerId is { } owner
            ? await Give(command, next, owner, now)
            : await Commit(command, Outcome<LlmConfigView>.Done(next), to => to.Put(next), now);
    }

    /// <summary>
    /// A global config becomes a user's own. The user's grain reads it before it leaves the catalogue here, so there is no moment
    /// at which that user has it nowhere; and who hears of it finds it there. That grain asks the catalogue too, but only what
    /// interleaves.
    /// </summary>
    private async Task<Outcome<LlmConfigView>> Give(Command command, LlmConfigView config, Guid owner, DateTimeOffset now)
    {
        try
        {
            return await Commit(command, Outcome<LlmConfigView>.Done(config), to => to.Give(config), now,
                () => GrainFactory.Of<IUserGrain>(new TenantScopedKey(_tenant!.Value, owner)).Reload());
        }
        catch (PostgresException e) when (e.IsForeignKey(LlmConfigStore.OwnerReference))
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task<Outcome<Nothing>> DeleteLlmConfig(Command command, Guid id)
    {
        if (!_state.LlmConfigs.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("llm_config");
        }

        if ((MayWrite(command) ?? command.Stale(known.Version)) is { } refusal)
        {
            return refusal;
        }

        try
        {
            return await Commit(command, Outcome<Nothing>.Deleted(), change => change.Remove(known), Now());
        }
        catch (PostgresException e) when (e.IsForeignKey(PersonalityStore.DefaultConfigKey))
        {
            return LlmConfigRules.InUse(await personalities.DefaultOf(CatalogueStore.Scope(_tenant), id));
        }
    }

    public async Task<Outcome<FocusModeView>> CreateFocusMode(Command command, FocusModeDraft draft)
    {
        var now = Now();
        var mode = draft.ToView(Guid.CreateVersion7(now), _tenant is null, now);
        return ((draft.IsSystem is true && _tenant is not null ? OperatorOnly : null)
                ?? MayWrite(command) ?? FocusModeRules.Check(mode) ?? await CheckName(mode) ?? CheckRoom(_state.FocusModes.Count, "focus modes")) is { } refusal
            ? refusal
            : await Commit(command, Outcome<FocusModeView>.Created(mode), change => change.Put(mode), now);
    }

    public async Task<Outcome<FocusModeView>> UpdateFocusMode(Command command, Guid id, FocusModeChange change)
    {
        if (!_state.FocusModes.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("focus_mode");
        }

        var now = Now();
        var next = change.Over(known);
        if ((MayWrite(command) ?? command.Stale(known.Version) ?? FocusModeRules.Check(next, known) ?? await CheckName(next)) is { } refusal)
        {
            return refusal;
        }

        if (next == known)
        {
            return await Unchanged(command, known, now);
        }

        next = next with { Version = known.Version + 1, UpdatedAt = now };
        return await Commit(command, Outcome<FocusModeView>.Done(next), to => to.Put(next), now);
    }

    public async Task<Outcome<Nothing>> DeleteFocusMode(Command command, Guid id)
    {
        if (!_state.FocusModes.TryGetValue(id, out var known))
        {
            return Refusal.NotFound("focus_mode");
        }

        return (MayWrite(command) ?? command.Stale(known.Version)) is { } refusal
            ? refusal
            : await Commit(command, Outcome<Nothing>.Deleted(), change => change.Remove(known), Now());
    }

    /// <param name="committed">What is done before anybody sees it.</param>
    private async Task<Outcome<T>> Commit<T>(
        Command command, Outcome<T> outcome, Action<CatalogueChange> put, DateTimeOffset now, Func<Task>? committed = null)
        where T : class
    {
        var batch = database.Begin(CatalogueStore.Scope(_tenant), _owner.Epoch);
        var change = new CatalogueChange(batch, _tenant, _stream, _state, now);
        put(change);
        batch.Answer(command, null, outcome, now);
        try
        {
            return outcome.After(await _owner.Commit(batch, events => _state = change.Next.At(_state.Version + 1, events[^1].Seq), committed));
        }
        catch (PostgresException e) when (e.IsUnique(LlmConfigStore.NameKey))
        {
            return NameTaken;
        }
        catch (PostgresException e) when (e.IsUnique(CatalogueStore.FocusModeNameKey))
        {
            return ModeTaken;
        }
        catch (PostgresException e) when (e.IsForeignKey(CatalogueStore.TenantKey))
        {
            DeactivateOnIdle();
            return Refusal.NotFound("tenant");
        }
    }

    private Task<Outcome<T>> Unchanged<T>(Command command, T known, DateTimeOffset now)
        where T : class => _owner.Unchanged(
            database.Begin(CatalogueStore.Scope(_tenant), _owner.Epoch), command, null, Outcome<T>.Done(known).Since(database.Epoch, _state.Seq), now);

    private static readonly Refusal NameTaken = Refusal.Conflict("llm_config_exists", "An LLM config of that name exists there: a global one, or one of that user's own.", "name");

    private static readonly Refusal ModeTaken = Refusal.Conflict("focus_mode_exists", "A focus mode of that name exists.", "modeName");

    private Refusal? MayWrite(Command command) => _tenant is null
        ? command.Actor.IsOperator ? null : OperatorOnly
        : command.Actor.ActsForTenant ? null : AdminOnly;

    private static Refusal? CheckRoom(int count, string what) =>
        count < MaxOfAKind ? null : Refusal.Conflict("catalogue_full", $"A tenant has at most {MaxOfAKind} {what}.");

    private Refusal? CheckName(LlmConfigView next)
    {
        foreach (var other in _state.LlmConfigs.Values)
        {
            if (other.Id != next.Id && string.Equals(other.Name, next.Name, StringComparison.OrdinalIgnoreCase))
            {
                return NameTaken;
            }
        }

        return null;
    }

    private async ValueTask<Refusal?> CheckName(FocusModeView next)
    {
        foreach (var other in _state.FocusModes.Values)
        {
            if (other.Id != next.Id && other.ModeName == next.ModeName)
            {
                return ModeTaken;
            }
        }

        return _tenant is null ? null : FocusModeRules.CheckNotTaken(next.ModeName, (await GrainFactory.Of<ICatalogueGrain>(TenantKey.System).Get()).Value.FocusModes.Values);
    }

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
