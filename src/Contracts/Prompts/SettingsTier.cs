using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Prompts;

/// <summary>What one tier (tenant, personality, channel, user, user + personality) says of behaviour. Sparse: a default value says nothing.</summary>
/// <param name="MaxMessages">Messages of the conversation window.</param>
/// <param name="MaxAge">Seconds after which a message leaves the window.</param>
/// <param name="MemoryLimit">Memories that a prompt may carry.</param>
/// <param name="MemoryScoreThreshold">How near a memory must be to be carried.</param>
/// <param name="FocusOverlay">Whether an active focus session shows in the current state.</param>
/// <param name="MindscapeOverlay">Whether a mapper that the request names may speak.</param>
[GenerateSerializer, Immutable, Alias("settings-tier")]
public sealed record SettingsTier(
    [property: Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MaxMessages = default,
    [property: Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MaxAge = default,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MemoryLimit = default,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<double> MemoryScoreThreshold = default,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<bool> FocusOverlay = default,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<bool> MindscapeOverlay = default)
{
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
    [property: Id(0)] Patch<Setting<int>> MaxMessages = default,
    [property: Id(1)] Patch<Setting<int>> MaxAge = default,
    [property: Id(2)] Patch<Setting<int>> MemoryLimit = default,
    [property: Id(3)] Patch<Setting<double>> MemoryScoreThreshold = default,
    [property: Id(4)] Patch<Setting<bool>> FocusOverlay = default,
    [property: Id(5)] Patch<Setting<bool>> MindscapeOverlay = default)
{
    public SettingsTier Over(SettingsTier tier) => new(
        MaxMessages.Over(tier.MaxMessages),
        MaxAge.Over(tier.MaxAge),
        MemoryLimit.Over(tier.MemoryLimit),
        MemoryScoreThreshold.Over(tier.MemoryScoreThreshold),
        FocusOverlay.Over(tier.FocusOverlay),
        MindscapeOverlay.Over(tier.MindscapeOverlay));
}
