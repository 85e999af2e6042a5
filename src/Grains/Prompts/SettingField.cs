using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>The behaviour settings. "off" is something said, and so ends the search.</summary>
public static class SettingField
{
    public static readonly Field<SettingsTier> FocusOverlay = new("focusOverlay", tier => Said(tier.FocusOverlay));
    public static readonly Field<SettingsTier> MindscapeOverlay = new("mindscapeOverlay", tier => Said(tier.MindscapeOverlay));

    public static readonly IReadOnlyList<Field<SettingsTier>> All =
    [
        new("maxMessages", tier => Said(tier.MaxMessages)), new("maxAge", tier => Said(tier.MaxAge)), new("memoryLimit", tier => Said(tier.MemoryLimit)),
        new("memoryScoreThreshold", tier => Said(tier.MemoryScoreThreshold)), FocusOverlay, MindscapeOverlay,
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

    private static object? Said<T>(Setting<T> setting)
        where T : struct => setting.State switch
        {
            SettingState.Inherit => null,
            SettingState.Off => "off",
            _ => setting.Value,
        };
}
