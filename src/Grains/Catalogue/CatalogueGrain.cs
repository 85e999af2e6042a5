using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Grains.Catalogue;

/// <summary>What a tenant offers to all its members, in the turns in which it changes; what each kind may be, its own class says.</summary>
public sealed class CatalogueGrain(
    Database database, CatalogueStore store, LlmConfigStore configs, PersonalityStore personalities, Owners owners,
    Clock time) : Grain, ICatalogueGrain
{
    public const int MaxOfAKind = 500;

    private Owner _owner = null!;
    private CatalogueWriter? _catalogue;
    private SystemPrompts _systemPrompts = null!;
    private LlmConfigs _llmConfigs = null!;
    private FocusModes _focusModes = null!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = TenantKey.Parse(this.GetPrimaryKeyString());
        Guid? tenant = key == TenantKey.System ? null : key.Tenant;
        var stream = StreamName.Catalogue(tenant);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Catalogue, key), stream, () => _catalogue?.State.Version ?? 0, DeactivateOnIdle);
        var state = CatalogueState.Of(await store.Load(tenant, _owner.Epoch, configs));
        _catalogue = new CatalogueWriter(database, tenant, stream, _owner, time, DeactivateOnIdle, state);
        _systemPrompts = new SystemPrompts(_catalogue);
        _llmConfigs = new LlmConfigs(_catalogue, personalities, GrainFactory);
        _focusModes = new FocusModes(_catalogue, GrainFactory);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<CatalogueView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _catalogue!.State.ToView());

    public Task<Read<CatalogueView>> Get() => Task.FromResult(_catalogue!.Read(_catalogue.State.ToView()));

    public Task<Read<SystemPromptView>?> GetSystemPrompt(Guid id) => Task.FromResult(_systemPrompts.Find(id));

    public Task<Outcome<SystemPromptView>> CreateSystemPrompt(Command command, SystemPromptDraft draft) => _systemPrompts.Create(command, draft);

    public Task<Outcome<SystemPromptView>> UpdateSystemPrompt(Command command, Guid id, SystemPromptChange change) => _systemPrompts.Update(command, id, change);

    public Task<Outcome<Nothing>> DeleteSystemPrompt(Command command, Guid id) => _systemPrompts.Delete(command, id);

    public Task<Read<LlmConfigView>?> GetLlmConfig(Guid id) => Task.FromResult(_llmConfigs.Find(id));

    public Task<Outcome<LlmConfigView>> CreateLlmConfig(Command command, LlmConfigDraft draft) => _llmConfigs.Create(command, draft);

    public Task<Outcome<LlmConfigView>> UpdateLlmConfig(Command command, Guid id, LlmConfigChange change) => _llmConfigs.Update(command, id, change);

    public Task<Outcome<Nothing>> DeleteLlmConfig(Command command, Guid id) => _llmConfigs.Delete(command, id);

    public Task<Read<FocusModeView>?> GetFocusMode(Guid id) => Task.FromResult(_focusModes.Find(id));

    public Task<Outcome<FocusModeView>> CreateFocusMode(Command command, FocusModeDraft draft) => _focusModes.Create(command, draft);

    public Task<Outcome<FocusModeView>> UpdateFocusMode(Command command, Guid id, FocusModeChange change) => _focusModes.Update(command, id, change);

    public Task<Outcome<Nothing>> DeleteFocusMode(Command command, Guid id) => _focusModes.Delete(command, id);
}
