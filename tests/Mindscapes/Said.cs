using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>Entries of a person's log, as tests write them.</summary>
internal static class Said
{
    public static readonly DateTimeOffset Start = new(2026, 5, 4, 8, 0, 0, TimeSpan.Zero);

    public static JsonText Json(string json) => JsonText.From(JsonElement.Parse(json));

    public static MindscapeEntry Entry(long number, string kind, string type, string content, string? source = null, DateTimeOffset? observedAt = null) => new(
        Guid.NewGuid(), number, kind, type, Json(content), JsonText.EmptyObject, source, null, false, observedAt, Start.AddMinutes(number));

    public static MindscapeEntry Observed(long number, string type, string content, DateTimeOffset? observedAt = null) => Entry(number, "observation", type, content, null, observedAt);

    /// <summary>Of one trait.</summary>
    public static MindscapeEntry Trait(long number, string path, string value, double confidence) =>
        Observed(number, "note", $$$$"""{"traits":{"{{{{path}}}}":{"value":{{{{value}}}},"confidence":{{{{confidence.ToString(System.Globalization.CultureInfo.InvariantCulture)}}}}}}}""");

    public static MindscapeEntry Set(long number, string traits) => Entry(number, "traits", "traits", traits);
}
