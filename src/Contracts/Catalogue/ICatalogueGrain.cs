using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Catalogue;

/// <summary>
/// System prompts, global LLM configs and focus modes of one tenant. Key: <see cref="TenantKey"/>. Their only writer.
/// The system's own, whose focus modes all tenants see, has the key <see cref="TenantKey.System"/>; only operators write to it.
/// </summary>
[Alias("catalogue")]
public interface ICatalogueGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<CatalogueView>> Grant(SiloAddress holder);

    /// <summary>All of it, as the stream's events change it.</summary>
    [Alias("get"), AlwaysInterleave]
    Task<Read<CatalogueView>> Get();

    [Alias("get-system-prompt"), AlwaysInterleave]
    Task<Read<SystemPromptView>?> GetSystemPrompt(Guid id);

    [Alias("create-system-prompt")]
    Task<Outcome<SystemPromptView>> CreateSystemPrompt(Command command, SystemPromptDraft draft);

    [Alias("update-system-prompt")]
    Task<Outcome<SystemPromptView>> UpdateSystemPrompt(Command command, Guid id, SystemPromptChange change);

    [Alias("delete-system-prompt")]
    Task<Outcome<Nothing>> DeleteSystemPrompt(Command command, Guid id);

    [Alias("get-llm-config"), AlwaysInterleave]
    Task<Read<LlmConfigView>?> GetLlmConfig(Guid id);

    [Alias("create-llm-config")]
    Task<Outcome<LlmConfigView>> CreateLlmConfig(Command command, LlmConfigDraft draft);

    [Alias("update-llm-config")]
    Task<Outcome<LlmConfigView>> UpdateLlmConfig(Command command, Guid id, LlmConfigChange change);

    [Alias("delete-llm-config")]
    Task<Outcome<Nothing>> DeleteLlmConfig(Command command, Guid id);

    [Alias("get-focus-mode"), AlwaysInterleave]
    Task<Read<FocusModeView>?> GetFocusMode(Guid id);

    [Alias("create-focus-mode")]
    Task<Outcome<FocusModeView>> CreateFocusMode(Command command, FocusModeDraft draft);

    [Alias("update-focus-mode")]
    Task<Outcome<FocusModeView>> UpdateFocusMode(Command command, Guid id, FocusModeChange change);

    [Alias("delete-focus-mode")]
    Task<Outcome<Nothing>> DeleteFocusMode(Command command, Guid id);
}
