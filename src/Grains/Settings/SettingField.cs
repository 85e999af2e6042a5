using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Settings;

/// <summary>
/// The behaviour settings. "off" is something said, and so ends the search; of a switch it is false. A prompt speaks of window
/// and memories here and nowhere else: what a personality and an LLM config say of them are tiers of these.
/// </summary>
public static class SettingField
{
    /// <summary>So many messages a personality's window has, unless somebody says otherwise.</summary>
    public const int PersonalityWindow = 20;

    public static readonly Field<SettingsTier> MaxMessages = new("maxMessages", tier => Said(tier.MaxMessages));
    public static readonly Field<SettingsTier> MaxAge = new("maxAge", tier => Said(tier.MaxAge));
    public static readonly Field<SettingsTier> MemoryLimit = new("memoryLimit", tier => Said(tier.MemoryLimit));
    public static readonly Field<SettingsTier> MemoryScoreThreshold = new("memoryScoreThreshold", tier => Said(tier.MemoryScoreThreshold));
    public static readonly Field<SettingsTier> FocusOverlay = new("focusOverlay", tier => Said(tier.FocusOverlay));
    public static readonly Field<SettingsTier> MindscapeOverlay = new("mindscapeOverlay", tier => Said(tier.MindscapeOverlay));

    public static readonly IReadOnlyList<Field<SettingsTier>> All =
    [
        MaxMessages, MaxAge, MemoryLimit, MemoryScoreThreshold, FocusOverlay, MindscapeOverlay,
    ];

    /// <summary>The furthest tier says something of every setting.</summary>
    public static readonly Tier<SettingsTier> BuiltIn = new(Source.BuiltIn, new SettingsTier
    {
        MaxMessages = Setting<int>.Of(50),
        MaxAge = Setting<int>.Off,
        MemoryLimit = Setting<int>.Of(10),
        MemoryScoreThreshold = Setting<double>.Of(0.5),
        FocusOverlay = Setting<bool>.Of(true),
        MindscapeOverlay = Setting<bool>.Of(true),
    });

    /// <summary>A personality's window has a size of its own unless somebody sets another.</summary>
    public static readonly Tier<SettingsTier> BuiltInOfPersonality =
        BuiltIn with { Says = BuiltIn.Says! with { MaxMessages = Setting<int>.Of(PersonalityWindow) } };

    /// <summary>A window of the usual size says nothing, so that the tenant may set another for all.</summary>
    public static SettingsTier OfPersonality(PersonalityView personality) =>
        personality.Settings.MaxMessages.IsSet || personality.ContextWindowSize == PersonalityWindow
            ? personality.Settings
            : personality.Settings with { MaxMessages = Setting<int>.Of(personality.ContextWindowSize) };

    public static SettingsTier OfConfig(LlmConfigView? config) => config is null or { MemoryLimit: null, MemoryScoreThreshold: null }
        ? SettingsTier.Empty
        : new SettingsTier
        {
            MemoryLimit = config.MemoryLimit is { } limit ? Setting<int>.Of(limit) : Setting<int>.Inherit,
            MemoryScoreThreshold = config.MemoryScoreThreshold is { } threshold ? Setting<double>.Of(threshold) : Setting<double>.Inherit,
        };

    private static object? Said<T>(Setting<T> setting)
        where T : struct => setting.State switch
        {
            SettingState.Inherit => null,
            SettingState.Off => typeof(T) == typeof(bool) ? false : "off",
            _ => setting.Value,
        };
}
