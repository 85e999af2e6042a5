using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Settings;

/// <summary>What a tier of behaviour settings may say. Off is always allowed.</summary>
public static class SettingsRules
{
    /// <summary>A year: what is older than retention could ever keep isn't in the window anyway.</summary>
    public const int MaxAge = 366 * 24 * 3600;

    public const int MaxMemories = 1000;

    public static Refusal? Check(SettingsTier tier) =>
        Check("maxMessages", tier.MaxMessages, 1, 100)
        ?? Check("maxAge", tier.MaxAge, 1, MaxAge)
        ?? Check("memoryLimit", tier.MemoryLimit, 0, MaxMemories)
        ?? (tier.MemoryScoreThreshold is { State: SettingState.Value, Value: var threshold }
            ? Text.CheckRange("memoryScoreThreshold", threshold, 0, 1)
            : null);

    private static Refusal? Check(string field, Setting<int> setting, int min, int max) =>
        setting.State == SettingState.Value ? Text.CheckRange(field, setting.Value, min, max) : null;
}
