using System.Text.Json.Nodes;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

public readonly record struct TierOfSettings(string Name, SettingsTier Settings);

/// <summary>A setting as it holds, and the tier that said so last.</summary>
public readonly record struct SettingChoice<T>(Setting<T> Setting, string From)
    where T : struct
{
    public bool IsOff => Setting.State == SettingState.Off;
}

/// <summary>
/// Behaviour settings: field by field, the last tier that says something wins, and "off" is something said.
/// </summary>
public sealed class SettingsCascade
{
    public static readonly SettingsTier BuiltIn = new()
    {
        MaxMessages = Setting<int>.Of(50),
        MaxAge = Setting<int>.Off,
        MemoryLimit = Setting<int>.Of(10),
        MemoryScoreThreshold = Setting<double>.Of(0.5),
        FocusOverlay = Setting<bool>.Of(true),
        MindscapeOverlay = Setting<bool>.Of(true),
    };

    private SettingsCascade(IReadOnlyList<TierOfSettings> tiers)
    {
        Tiers = tiers;
        MaxMessages = Last(tier => tier.MaxMessages);
        MaxAge = Last(tier => tier.MaxAge);
        MemoryLimit = Last(tier => tier.MemoryLimit);
        MemoryScoreThreshold = Last(tier => tier.MemoryScoreThreshold);
        FocusOverlay = Last(tier => tier.FocusOverlay);
        MindscapeOverlay = Last(tier => tier.MindscapeOverlay);
    }

    /// <summary>All tiers, furthest first; the first one is what is built in.</summary>
    public IReadOnlyList<TierOfSettings> Tiers { get; }

    public SettingChoice<int> MaxMessages { get; }

    public SettingChoice<int> MaxAge { get; }

    public SettingChoice<int> MemoryLimit { get; }

    public SettingChoice<double> MemoryScoreThreshold { get; }

    public SettingChoice<bool> FocusOverlay { get; }

    public SettingChoice<bool> MindscapeOverlay { get; }

    public bool ShowsFocus => FocusOverlay.Setting is { State: SettingState.Value, Value: true };

    public bool ShowsMindscape => MindscapeOverlay.Setting is { State: SettingState.Value, Value: true };

    /// <param name="tiers">Above what is built in, furthest first.</param>
    public static SettingsCascade Of(params ReadOnlySpan<TierOfSettings> tiers) => new([new TierOfSettings(Source.BuiltIn, BuiltIn), .. tiers]);

    /// <summary>As the answer gives them: the value, or "off".</summary>
    public SettingsTier Effective => new()
    {
        MaxMessages = MaxMessages.Setting,
        MaxAge = MaxAge.Setting,
        MemoryLimit = MemoryLimit.Setting,
        MemoryScoreThreshold = MemoryScoreThreshold.Setting,
        FocusOverlay = FocusOverlay.Setting,
        MindscapeOverlay = MindscapeOverlay.Setting,
    };

    public IEnumerable<(string Field, string From)> Sources()
    {
        yield return ("maxMessages", MaxMessages.From);
        yield return ("maxAge", MaxAge.From);
        yield return ("memoryLimit", MemoryLimit.From);
        yield return ("memoryScoreThreshold", MemoryScoreThreshold.From);
        yield return ("focusOverlay", FocusOverlay.From);
        yield return ("mindscapeOverlay", MindscapeOverlay.From);
    }

    /// <summary>For each field every tier's value: null where it says nothing.</summary>
    public JsonObject Explain()
    {
        var said = Tiers.Select(tier => (tier.Name, Fields: JsonText.From(tier.Settings).Read<JsonObject>())).ToList();
        var fields = new JsonObject();
        foreach (var (field, _) in Sources())
        {
            fields[field] = new JsonObject(said.Select(tier => KeyValuePair.Create(tier.Name, tier.Fields[field]?.DeepClone())));
        }

        return fields;
    }

    private SettingChoice<T> Last<T>(Func<SettingsTier, Setting<T>> field)
        where T : struct
    {
        for (var i = Tiers.Count - 1; i >= 0; i--)
        {
            if (field(Tiers[i].Settings) is { IsSet: true } setting)
            {
                return new SettingChoice<T>(setting, Tiers[i].Name);
            }
        }

        throw new InvalidOperationException("What is built in says something of every setting.");
    }
}
