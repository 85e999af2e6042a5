using System.Collections.Frozen;
using System.Collections.Immutable;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>One committed version of a catalogue, whole and immutable: who holds the reference reads no mix.</summary>
public sealed class CatalogueState
{
    private readonly FrozenDictionary<string, FocusModeView> _activeModes;

    private CatalogueState(
        long version, long seq, ImmutableDictionary<Guid, SystemPromptView> prompts, ImmutableDictionary<Guid, LlmConfigView> configs,
        ImmutableDictionary<Guid, FocusModeView> modes)
    {
        Version = version;
        Seq = seq;
        SystemPrompts = prompts;
        LlmConfigs = configs;
        FocusModes = modes;
        DefaultSystemPrompt = prompts.Values.FirstOrDefault(prompt => prompt.IsDefault);
        DefaultLlmConfig = configs.Values.FirstOrDefault(config => config.IsDefault);
        FreeDefaultLlmConfig = configs.Values.FirstOrDefault(config => config.IsFreeDefault);
        _activeModes = modes.Values.Where(mode => mode.IsActive).ToFrozenDictionary(mode => mode.ModeName);
    }

    public long Version { get; }

    public long Seq { get; }

    public ImmutableDictionary<Guid, SystemPromptView> SystemPrompts { get; }

    public ImmutableDictionary<Guid, LlmConfigView> LlmConfigs { get; }

    public ImmutableDictionary<Guid, FocusModeView> FocusModes { get; }

    public SystemPromptView? DefaultSystemPrompt { get; }

    public LlmConfigView? DefaultLlmConfig { get; }

    public LlmConfigView? FreeDefaultLlmConfig { get; }

    /// <param name="named">By its name or its id.</param>
    public FocusModeView? ActiveMode(string named) =>
        _activeModes.GetValueOrDefault(named)
        ?? (Guid.TryParse(named, out var id) && FocusModes.GetValueOrDefault(id) is { IsActive: true } mode ? mode : null);

    public static CatalogueState Of(CatalogueRows rows) => new(
        rows.Version, rows.Seq, rows.SystemPrompts.ToImmutableDictionary(prompt => prompt.Id), rows.LlmConfigs.ToImmutableDictionary(config => config.Id),
        rows.FocusModes.ToImmutableDictionary(mode => mode.Id));

    public static CatalogueState Of(CatalogueView view) => new(0, 0, view.SystemPrompts, view.LlmConfigs, view.FocusModes);

    public CatalogueState With(SystemPromptView prompt) => new(Version, Seq, SystemPrompts.SetItem(prompt.Id, prompt), LlmConfigs, FocusModes);

    public CatalogueState With(LlmConfigView config) => new(Version, Seq, SystemPrompts, LlmConfigs.SetItem(config.Id, config), FocusModes);

    public CatalogueState With(FocusModeView mode) => new(Version, Seq, SystemPrompts, LlmConfigs, FocusModes.SetItem(mode.Id, mode));

    public CatalogueState Without(Guid id) => new(Version, Seq, SystemPrompts.Remove(id), LlmConfigs.Remove(id), FocusModes.Remove(id));

    public CatalogueState At(long version, long seq) => new(version, seq, SystemPrompts, LlmConfigs, FocusModes);

    public CatalogueView ToView() => new(SystemPrompts, LlmConfigs, FocusModes);
}
