using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>Traits in the founding document's form: flat paths, each {value, confidence, sample_size, …}, or just a value.</summary>
public static class TraitJson
{
    private sealed record Stored(JsonText Value, double Confidence, int SampleSize, DateTimeOffset? FirstSeen, DateTimeOffset? LastSeen, double? Weight, string? Source);

    private static readonly JsonSerializerOptions Snake = new(Wire.Json) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    public static JsonText Write(ImmutableDictionary<string, Trait> traits)
    {
        var all = new JsonObject();
        foreach (var (path, trait) in traits.OrderBy(trait => trait.Key, StringComparer.Ordinal))
        {
            all[path] = trait.IsBare
                ? JsonNode.Parse(trait.Value.Json)
                : JsonSerializer.SerializeToNode(
                    new Stored(trait.Value, trait.Confidence, trait.SampleSize, trait.FirstSeen, trait.LastSeen, trait.Weight == 1 ? null : trait.Weight, trait.Source), Snake);
        }

        return new JsonText(all.ToJsonString(Wire.Json));
    }

    /// <summary>What <see cref="Write"/> wrote.</summary>
    public static ImmutableDictionary<string, Trait> Read(JsonText json)
    {
        using var document = JsonDocument.Parse(json.Json);
        return document.RootElement.EnumerateObject().ToImmutableDictionary(
            trait => trait.Name,
            trait => trait.Value.ValueKind == JsonValueKind.Object && trait.Value.TryGetProperty("last_seen", out _) && trait.Value.TryGetProperty("value", out _)
                && JsonSerializer.Deserialize<Stored>(trait.Value, Snake) is { } stored
                    ? new Trait(stored.Value, stored.Confidence, stored.SampleSize, stored.FirstSeen, stored.LastSeen, stored.Weight ?? 1, stored.Source)
                    : Trait.Bare(JsonText.From(trait.Value)),
            StringComparer.Ordinal);
    }

    /// <summary>Traits as somebody sets them: what is given as it is known stays so, in either spelling. Null is not known.</summary>
    public static ImmutableDictionary<string, Trait> Given(JsonText json, ImmutableDictionary<string, Trait> known, DateTimeOffset at)
    {
        using var document = JsonDocument.Parse(json.Json);
        return document.RootElement.EnumerateObject().Where(trait => !IsNothing(trait.Value))
            .ToImmutableDictionary(trait => trait.Name, trait => Given(trait.Value, known.GetValueOrDefault(trait.Name), at), StringComparer.Ordinal);
    }

    private static Trait Given(JsonElement given, Trait? known, DateTimeOffset at)
    {
        if (given.ValueKind != JsonValueKind.Object || !given.TryGetProperty("value", out var value))
        {
            var bare = Trait.Bare(JsonText.From(given));
            return known is { IsBare: true } && JsonElement.DeepEquals(JsonElement.Parse(known.Value.Json), given) ? known : bare;
        }

        var confidence = TraitFold.Number(given, "confidence") is >= 0 and <= 1 and var said ? said : 1;
        var samples = (TraitFold.Number(given, "sample_size") ?? TraitFold.Number(given, "sampleSize")) is >= 1 and <= int.MaxValue and var many ? (int)many : 1;
        var same = known is { IsBare: false } && known.Confidence == confidence && known.SampleSize == samples && JsonElement.DeepEquals(JsonElement.Parse(known.Value.Json), value);
        return same ? known! : new Trait(JsonText.From(value), confidence, samples, known?.FirstSeen ?? at, at, known?.Weight ?? 1);
    }

    private static bool IsNothing(JsonElement given) => given.ValueKind == JsonValueKind.Null
        || (given.ValueKind == JsonValueKind.Object && given.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Null);
}
