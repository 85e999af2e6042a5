using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Imports;

/// <summary>What rows of PersonaKit's say, as it is said here.</summary>
public static class PersonaKitRows
{
    private const int MaxPart = 262_144;
    private const int MaxWord = 50;

    private static readonly TimeSpan Usual = TimeSpan.FromHours(24);

    /// <summary>The old traits are nested; a path's steps are joined by dots, and a trait that says its confidence is one.</summary>
    public static void Flatten(string path, JsonObject traits, JsonObject flat)
    {
        foreach (var (name, value) in traits)
        {
            var here = path.Length == 0 ? name : $"{path}.{name}";
            if (value is JsonObject { Count: > 0 } nested && !nested.ContainsKey("value"))
            {
                Flatten(here, nested, flat);
            }
            else if (value is not null)
            {
                flat[here] = value.DeepClone();
            }
        }
    }

    private static string? Word(JsonNode? value) => value is JsonValue said && said.TryGetValue<string>(out var text) ? text : null;

    private static JsonText? Any(JsonNode? value) => value is null ? null : new JsonText(value.ToJsonString(Wire.Json));

    private static JsonText Object(JsonNode? value) => Any(value as JsonObject) ?? JsonText.EmptyObject;

    private static DateTimeOffset? CreatedAt(JsonObject row) => Time(row, "created_at");

    private static DateTimeOffset? Time(JsonObject row, string name) => row[name] is JsonValue at && at.TryGetValue<DateTimeOffset>(out var time) ? time : null;

    /// <summary>One that is too long for a source says nothing.</summary>
    private static string? Source(JsonNode? value) => Word(value) is { Length: > 0 and <= MaxWord } source ? source : null;

    public static NewObservation Observation(JsonObject row) => new(
        (string)row["observation_type"]!, Object(row["content"]), Object(row["metadata"]), Source((row["metadata"] as JsonObject)?["source"]), (string)row["id"]!, CreatedAt(row));

    /// <summary>Of a curation nobody says how the action was written: what isn't one of ours changes no trait.</summary>
    public static NewNarrative Narrative(JsonObject row, IEnumerable<JsonObject> links)
    {
        var tags = (row["tags"] as JsonArray)?.Select(Word).OfType<string>()
            .Where(tag => !string.IsNullOrWhiteSpace(tag) && tag.Length <= NarrativeRules.MaxTag).Take(NarrativeRules.MaxTags).ToItems();
        var said = new NewNarrative(
            NarrativeType.SelfObservation, Word(row["raw_text"]) ?? "", tags, Object(row["context"]), Source(row["source"]), (string)row["id"]!, null, null, null, null, null,
            new NarrativeOrigin(CreatedAt(row) ?? DateTimeOffset.MaxValue, Word(row["curated_text"]), Links(links)));
        if (Word(row["narrative_type"]) != NarrativeStore.WordOf(NarrativeType.Curation))
        {
            return said;
        }

        var curated = row["curation_action"] as JsonObject;
        return said with
        {
            Type = NarrativeType.Curation,
            TraitPath = Word(row["trait_path"]),
            Action = NarrativeStore.ValueOf<CurationAction>(Word(curated?["action"]) ?? Word(curated?["type"]) ?? Word(row["curation_action"]) ?? "") ?? CurationAction.Clarify,
            OriginalValue = Any(curated?["original_value"]) ?? new JsonText("null"),
            Value = Any(curated?["corrected_value"]) ?? Any(curated?["new_value"]),
        };
    }

    private static Items<TraitLink> Links(IEnumerable<JsonObject> rows)
    {
        var links = new List<TraitLink>();
        foreach (var row in rows)
        {
            if (NarrativeStore.ValueOf<TraitLinkType>(Word(row["link_type"]) ?? "") is { } type
                && Word(row["trait_path"]) is { Length: <= ObservationRules.MaxPath } path && !string.IsNullOrWhiteSpace(path))
            {
                links.Add(new TraitLink(path, type, Math.Clamp(Number(row["confidence"]) ?? 1, 0, 1)));
            }
        }

        return links.DistinctBy(link => (link.TraitPath, link.Type)).ToItems();
    }

    /// <param name="Mappers">The names that its mapper may have: the version's id, and how it counts among its mapper's.</param>
    public sealed record MadePersona(PastPersona Row, IReadOnlyList<string> Mappers, Refusal? Refusal);

    public static MadePersona Persona(JsonObject row)
    {
        var (created, core, overlay, metadata) = (MadeAt(row), Object(row["core"]), Object(row["overlay"]), Object(row["metadata"]));
        var expires = Time(row, "expires_at") is { } at && at > created ? at.ToMicroseconds() : created + Usual;
        return new MadePersona(
            new PastPersona((string)row["id"]!, Guid.Parse((string)row["person_id"]!), Guid.Empty, core, overlay, metadata, created, expires),
            [.. new[] { Word(row["mapper_id"]), Word(row["mapper_config_id"]) is { } mapper && row["mapper_version"] is { } version ? $"{mapper}/{version}" : null }.OfType<string>()],
            Text.CheckJson("core", core, null, JsonValueKind.Object, MaxPart) ?? Text.CheckJson("overlay", overlay, null, JsonValueKind.Object, MaxPart)
                ?? Text.CheckJson("metadata", metadata, null, JsonValueKind.Object, MaxPart));
    }

    public static (PastUsage Row, Refusal? Refusal) Usage(JsonObject row)
    {
        var usage = new PastUsage(
            (string)row["id"]!, Guid.Parse((string)row["persona_id"]!), (string)row["narrative_id"]!, Word(row["usage_type"]) ?? "", Number(row["relevance_score"]) ?? 0, MadeAt(row));
        return (usage, Text.CheckRequired("usage_type", usage.Type, MaxWord));
    }

    public static (PastFeedback Row, Refusal? Refusal) Feedback(JsonObject row)
    {
        var (id, created, context) = ((string)row["id"]!, MadeAt(row), Object(row["context"]));
        var type = Word((row["context"] as JsonObject)?["suggestion_type"]);
        var feedback = new PastFeedback(
            id, Stamped(Guid.Parse(id), created), Word(row["persona_id"]) is { } persona ? Guid.Parse(persona) : Guid.Empty, (int?)Number(row["rating"]),
            row["helpful"] is JsonValue helpful && helpful.TryGetValue<bool>(out var isHelpful) ? isHelpful : null, context, Word(row["rule_id"]),
            type is { Length: > 0 and <= 100 } ? type : null, (int?)Number(row["mapper_version"]), created);
        return (feedback, Text.CheckRange("rating", feedback.Rating, 1, 5) ?? Text.CheckJson("context", context, null, JsonValueKind.Object, MindscapeGrain.MaxContext)
            ?? Text.CheckOptional("rule_id", feedback.Rule, MapperKey.MaxName));
    }

    /// <summary>An id that says when, as all of ours do; of one row always the same.</summary>
    private static Guid Stamped(Guid id, DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> stamp = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        Guid.CreateVersion7(at).TryWriteBytes(stamp, bigEndian: true, out _);
        stamp[..6].CopyTo(bytes);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>One that nobody can have meant is the beginning.</summary>
    private static DateTimeOffset MadeAt(JsonObject row) => CreatedAt(row) is { } at && at > DateTimeOffset.UnixEpoch ? at.ToMicroseconds() : DateTimeOffset.UnixEpoch;

    private static double? Number(JsonNode? value) => value is JsonValue number && number.TryGetValue<double>(out var said) ? said : null;
}
