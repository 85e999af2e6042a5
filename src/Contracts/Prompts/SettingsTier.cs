using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Prompts;

/// <summary>What one tier (tenant, personality, channel, user, user + personality) says of behaviour. Sparse: a default value says nothing.</summary>
[GenerateSerializer, Immutable, Alias("settings-tier")]
public sealed record SettingsTier
{
    /// <summary>Messages of the conversation window.</summary>
    [Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<int> MaxMessages { get; init; }

    /// <summary>Seconds after which a message leaves the window.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<int> MaxAge { get; init; }

    /// <summary>Memories that a prompt may carry.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<int> MemoryLimit { get; init; }

    /// <summary>How near a memory must be to be carried.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<double> MemoryScoreThreshold { get; init; }

    /// <summary>Whether an active focus session shows in the current state.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<bool> FocusOverlay { get; init; }

    /// <summary>Whether a mapper that the request names may speak.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Setting<bool> MindscapeOverlay { get; init; }

    public static readonly SettingsTier Empty = new();

    [JsonIgnore]
    public bool IsEmpty => this == Empty;

    /// <summary>As a jsonb column keeps it: an absent key inherits, null is off.</summary>
    public JsonText ToStored()
    {
        var stored = JsonSerializer.SerializeToNode(this, Wire.Json)!.AsObject();
        foreach (var (name, value) in stored.ToList())
        {
            if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String)
            {
                stored[name] = null;
            }
        }

        return new JsonText(stored.ToJsonString(Wire.Json));
    }

    public static SettingsTier FromStored(string json)
    {
        if (json is "{}")
        {
            return Empty;
        }

        var stored = JsonNode.Parse(json)!.AsObject();
        foreach (var (name, value) in stored.ToList())
        {
            stored[name] = value is null ? "off" : value.DeepClone();
        }

        return stored.Deserialize<SettingsTier>(Wire.Json)!;
    }
}

/// <summary>PATCH of a tier: absent keeps, null clears, "off" or a value sets. A key nobody knows is refused with its name.</summary>
[GenerateSerializer, Immutable, Alias("settings-change")]
public sealed record SettingsChange(
    [property: Id(0)] Patch<Setting<int>> MaxMessages,
    [property: Id(1)] Patch<Setting<int>> MaxAge,
    [property: Id(2)] Patch<Setting<int>> MemoryLimit,
    [property: Id(3)] Patch<Setting<double>> MemoryScoreThreshold,
    [property: Id(4)] Patch<Setting<bool>> FocusOverlay,
    [property: Id(5)] Patch<Setting<bool>> MindscapeOverlay)
{
    public SettingsTier Over(SettingsTier tier) => new()
    {
        MaxMessages = MaxMessages.Over(tier.MaxMessages),
        MaxAge = MaxAge.Over(tier.MaxAge),
        MemoryLimit = MemoryLimit.Over(tier.MemoryLimit),
        MemoryScoreThreshold = MemoryScoreThreshold.Over(tier.MemoryScoreThreshold),
        FocusOverlay = FocusOverlay.Over(tier.FocusOverlay),
        MindscapeOverlay = MindscapeOverlay.Over(tier.MindscapeOverlay),
    };
}
