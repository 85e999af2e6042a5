using System.Globalization;
using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What may be recorded.</summary>
public static class ObservationRules
{
    public const int MaxBatch = 1000;
    public const int MaxContent = 32_768;
    public const int MaxMetadata = 8_192;
    public const int MaxClientId = 200;
    public const int MaxTraits = 64;
    public const int MaxPath = 200;
    public const int MaxValue = 4_000;
    public static readonly TimeSpan MaxAhead = TimeSpan.FromHours(1);

    public static Refusal? Check(NewObservation observation, DateTimeOffset now) =>
        Text.CheckRequired("type", observation.Type, 50)
        ?? Text.CheckJson("content", observation.Content, null, JsonValueKind.Object, MaxContent)
        ?? Text.CheckJson("metadata", observation.Metadata, null, JsonValueKind.Object, MaxMetadata)
        ?? Text.CheckOptional("source", observation.Source, 50)
        ?? CheckClientId(observation.ClientId)
        ?? CheckTime("observedAt", observation.ObservedAt, now)
        ?? CheckContent(observation.Content, now);

    public static Refusal? CheckClientId(string? id) => id is null ? null : Text.CheckRequired("clientId", id, MaxClientId);

    private static Refusal? CheckContent(JsonText content, DateTimeOffset now)
    {
        using var document = JsonDocument.Parse(content.Json);
        if (document.RootElement.TryGetProperty("timestamp", out var timestamp) && timestamp.ValueKind == JsonValueKind.String
            && DateTimeOffset.TryParse(timestamp.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && CheckTime("content.timestamp", at, now) is { } ahead)
        {
            return ahead;
        }

        return document.RootElement.TryGetProperty("traits", out var traits) && traits.ValueKind == JsonValueKind.Object ? CheckTraits("content.traits", traits, MaxTraits) : null;
    }

    public static Refusal? CheckTraits(string field, JsonElement traits, int max)
    {
        if (traits.GetPropertyCount() > max)
        {
            return Refusal.Invalid(field, $"'{field}' has {traits.GetPropertyCount()} traits; at most {max} are allowed.");
        }

        foreach (var trait in traits.EnumerateObject())
        {
            if ((Text.CheckRequired(field, trait.Name, MaxPath) ?? (trait.Value.GetRawText().Length > MaxValue ? TooLong(field, trait.Name) : null)) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private static Refusal TooLong(string field, string path) => Refusal.Invalid(field, $"The value of '{Text.Shorten(path)}' has more than {MaxValue:N0} characters of JSON.");

    private static Refusal? CheckTime(string field, DateTimeOffset? at, DateTimeOffset now) =>
        at > now + MaxAhead ? Refusal.Invalid(field, $"'{field}' is more than an hour in the future.") : null;

    /// <summary>Only what the person says may be said again: the rest may have been made of it.</summary>
    public static bool MayEcho(string? source) => Trust(source) < Trust(null);

    /// <summary>How far a source is to be trusted: what the person says more than what was seen, that more than what agents make of it.</summary>
    public static int Trust(string? source) => source switch
    {
        null or "person" or "user" => 3,
        "agent" or "assistant" or "recall" => 1,
        _ => 2,
    };
}
