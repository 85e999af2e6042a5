using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Personalities;
using PersonaActors.Grains.Personas;

namespace PersonaActors.Grains.Imports;

/// <summary>Something that could not be taken as it was.</summary>
public sealed record ImportNote(string Field, string Note);

/// <param name="At">When it came about, if that is known.</param>
public sealed record ShapesMemory(string Text, DateTimeOffset? At);

/// <summary>
/// What shapes.inc exports of a character, in our words. Pure: the envelope {config, memories, stories, userPersonalization},
/// or a bare config. What has no column, or a value that its column doesn't take, is in the custom fields; nothing is lost.
/// </summary>
/// <param name="SlugWish">Of which a slug is made, if it is free.</param>
/// <param name="Llm">None if it says nothing of a model.</param>
/// <param name="Persona">Who the importer is to this character; none if it doesn't say.</param>
public sealed record ShapesFile(
    string Name, string SlugWish, string SystemPrompt, PersonalityDraft Personality, LlmConfigDraft? Llm, PersonaDraft? Persona,
    ImmutableArray<ShapesMemory> Memories, ImmutableArray<ImportNote> Notes)
{
    public static (ShapesFile? File, Refusal? Refusal) Parse(JsonElement json)
    {
        try
        {
            return Read(json);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // Half of a surrogate pair, escaped.
            return (null, Invalid("config", "It has a name twice in one object, or a character that is no text."));
        }
    }

    private static (ShapesFile? File, Refusal? Refusal) Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return (null, Invalid("config", "An export of shapes.inc is an object: {config, memories, stories, userPersonalization}, or a config."));
        }

        var root = JsonObject.Create(json.Clone())!;
        var config = root["config"] as JsonObject;
        var isEnvelope = config is not null && root.Remove("config");
        var reading = new Reading(config ?? root);
        var named = reading.Text("name", PersonalityRules.MaxName);
        var username = reading.Text("username", PersonalityRules.MaxName, keep: true);
        if ((named ?? username) is not { } name)
        {
            return (null, Invalid("name", "The character has a 'name', or a 'username'."));
        }

        var jailbreak = reading.Text("jailbreak", PersonalityRules.MaxImported);
        var draft = new PersonalityDraft(
            name, null, null, null, null, reading.Text("user_prompt", PersonalityRules.MaxImported) ?? "", reading.Text("personality_traits", PersonalityRules.MaxImported) ?? "",
            reading.Text("personality_tone", PersonalityRules.MaxImported), reading.Text("personality_age", PersonalityRules.MaxImported),
            reading.Text("personality_appearance", PersonalityRules.MaxImported), reading.Text("personality_likes", PersonalityRules.MaxImported),
            reading.Text("personality_dislikes", PersonalityRules.MaxImported), reading.Text("personality_conversational_goals", PersonalityRules.MaxImported),
            reading.Text("personality_conversational_examples", PersonalityRules.MaxImported), reading.Text("error_message", PersonalityRules.MaxImported),
            null, null, null, null, null, null, reading.Bool("ltm_enabled"), reading.Whole("stm_window", 1, 100), false, null);
        var llm = LlmConfigDraft.Empty with
        {
            Model = reading.Text("engine_model", LlmConfigRules.MaxModel),
            Temperature = reading.Number("engine_temperature", 0, 2),
            TopP = reading.Number("engine_top_p", 0, 1),
            TopK = reading.Whole("engine_top_k", 0, int.MaxValue),
            FrequencyPenalty = reading.Number("engine_frequency_penalty", -2, 2),
            PresencePenalty = reading.Number("engine_presence_penalty", -2, 2),
            RepetitionPenalty = reading.Number("engine_repetition_penalty", 0, 2),
            MinP = reading.Number("engine_min_p", 0, 1),
            TopA = reading.Number("engine_top_a", 0, 1),
            MemoryScoreThreshold = reading.Number("ltm_threshold", 0, 1),
            MemoryLimit = reading.Whole("ltm_max_retrieved_summaries", 0, int.MaxValue),
        };
        var custom = reading.Rest;
        var memories = ImmutableArray<ShapesMemory>.Empty;
        PersonaDraft? persona = null;
        if (isEnvelope)
        {
            if (root["memories"] is JsonArray told)
            {
                if (told.Count > MemoryRules.MaxMemories)
                {
                    return (null, Invalid("memories", $"{told.Count:N0} memories are more than the {MemoryRules.MaxMemories:N0} that one import takes."));
                }

                var rest = new JsonArray();
                memories = ReadMemories(told, reading, rest);
                root.Remove("memories");
                if (rest.Count > 0)
                {
                    custom["memories"] = rest;
                }
            }

            if (root["userPersonalization"] is JsonObject personal)
            {
                root.Remove("userPersonalization");
                var who = new Reading(personal, "userPersonalization.", reading.Notes);
                persona = new PersonaDraft(
                    $"For {name}"[..Math.Min(PersonaRules.MaxName, name.Length + 4)], null, who.Text("backstory", PersonaRules.MaxContent) ?? "",
                    who.Text("preferred_name", PersonaRules.MaxPreferredName), who.Text("pronouns", PersonaRules.MaxPronouns));
                persona = persona is { Content: "", PreferredName: null, Pronouns: null } ? null : persona;
                if (who.Rest.Count > 0)
                {
                    custom["userPersonalization"] = who.Rest;
                }
            }

            if (root["stories"] is JsonArray { Count: 0 })
            {
                root.Remove("stories");
            }

            foreach (var (field, value) in root.ToList())
            {
                root.Remove(field);
                custom[custom.ContainsKey(field) ? $"envelope.{field}" : field] = value;
            }
        }

        return (new ShapesFile(
            name, username ?? name, string.IsNullOrWhiteSpace(jailbreak) ? $"You are {name}." : jailbreak,
            draft with { CustomFields = custom.Count > 0 ? new JsonText(custom.ToJsonString(Wire.Json)) : null },
            llm == LlmConfigDraft.Empty ? null : llm, persona, memories, [.. reading.Notes]), null);
    }

    /// <summary>Those with a text, each once.</summary>
    /// <param name="rest">Those that are too long to be notes.</param>
    private static ImmutableArray<ShapesMemory> ReadMemories(JsonArray told, Reading reading, JsonArray rest)
    {
        var memories = ImmutableArray.CreateBuilder<ShapesMemory>(told.Count);
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < told.Count; i++)
        {
            if (told[i] is not JsonObject memory || memory["result"] is not JsonValue value || !value.TryGetValue<string>(out var text) || string.IsNullOrWhiteSpace(text))
            {
                reading.Notes.Add(new ImportNote($"memories[{i}]", "It has no text in 'result', and is left out."));
                continue;
            }

            if (Grains.Text.CheckOptional("result", text, MemoryRules.MaxContent) is { } refusal)
            {
                reading.Notes.Add(new ImportNote($"memories[{i}].result", $"{refusal.Detail} It is in the custom fields instead."));
                rest.Add(memory.DeepClone());
                continue;
            }

            if (known.Add(text))
            {
                memories.Add(new ShapesMemory(text, memory["metadata"] is JsonObject about ? Time(about["created_at"]) : null));
            }
        }

        return memories.ToImmutable();
    }

    private static DateTimeOffset? Time(JsonNode? at) =>
        at is JsonValue value && value.TryGetValue<double>(out var seconds) && seconds is >= 0 and < 32_503_680_000 ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Round(seconds, 3)) : null;

    private static Refusal Invalid(string field, string detail) => new(RefusalKind.Invalid, "invalid_import", detail, field);

    /// <summary>Takes what has a place out of an object; the rest is what nobody took.</summary>
    private sealed class Reading(JsonObject rest, string prefix = "", List<ImportNote>? notes = null)
    {
        public JsonObject Rest => rest;

        public List<ImportNote> Notes { get; } = notes ?? [];

        /// <param name="keep">It stays among the rest too: what is made of it isn't the thing itself.</param>
        public string? Text(string field, int max, bool keep = false)
        {
            if (rest[field] is not JsonValue value || !value.TryGetValue<string>(out var text))
            {
                return Other<string>(field, "a text");
            }

            if (Grains.Text.CheckOptional(field, text, max) is { } refusal)
            {
                // The whole of it stays where it was.
                Note(field, refusal.Detail + (text.Length > max ? " Its beginning is taken; all of it is in the custom fields." : ""));
                return text.Length > max && Grains.Text.CheckOptional(field, text[..max], max) is null ? text[..max] : null;
            }

            if (!keep)
            {
                rest.Remove(field);
            }

            return string.IsNullOrWhiteSpace(text) ? null : text;
        }

        public bool? Bool(string field)
        {
            if (rest[field] is JsonValue value && value.TryGetValue<bool>(out var said))
            {
                rest.Remove(field);
                return said;
            }

            return Other<bool?>(field, "true or false");
        }

        public int? Whole(string field, int min, int max) => Number(field, min, max, isWhole: true) is { } number ? (int)number : null;

        public double? Number(string field, double min, double max, bool isWhole = false)
        {
            if (rest[field] is not JsonValue value || !(value.TryGetValue<double>(out var number)
                || (value.TryGetValue<string>(out var text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number))))
            {
                return Other<double?>(field, "a number");
            }

            if (!(number >= min && number <= max) || (isWhole && number != Math.Floor(number)))
            {
                Note(field, string.Create(CultureInfo.InvariantCulture, $"{number} is no {(isWhole ? "whole " : "")}number from {min} to {max}, and is not taken."));
                return null;
            }

            rest.Remove(field);
            return number;
        }

        private T? Other<T>(string field, string expected)
        {
            if (rest[field] is not null)
            {
                Note(field, $"It is not {expected}, and is kept as it is.");
            }
            else
            {
                rest.Remove(field);
            }

            return default;
        }

        private void Note(string field, string note) => Notes.Add(new ImportNote(prefix + field, note));
    }
}
