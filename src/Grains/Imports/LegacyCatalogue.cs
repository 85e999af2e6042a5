using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Storage.Imports;

namespace PersonaActors.Grains.Imports;

/// <summary>System prompts and LLM configs of the old tables as ours. Pure; notes what could not be taken as it was.</summary>
public sealed class LegacyCatalogue(CatalogueView known, DateTimeOffset now)
{
    public List<(string Table, string Id, string Field, string Note)> Notes { get; } = [];

    public List<SystemPromptView> Prompts(IEnumerable<StagedRow> rows)
    {
        var hasDefault = known.SystemPrompts.Values.Any(prompt => prompt.IsDefault);
        var made = new List<SystemPromptView>();
        foreach (var (id, row) in Fresh(rows, known.SystemPrompts.ContainsKey))
        {
            var isDefault = Bool(row, "is_default");
            if (isDefault && hasDefault)
            {
                Notes.Add(("system_prompts", id.ToString(), "is_default", "The tenant has a default already."));
            }

            made.Add(new SystemPromptView(
                id, Named("system_prompts", id, row, "System prompt", SystemPromptRules.MaxName), Text(row, "description"), Text(row, "content") ?? "", isDefault && !hasDefault, 1, Time(row, "created_at"), Time(row, "updated_at")));
            hasDefault |= isDefault;
        }

        return made;
    }

    public List<LlmConfigView> Configs(IEnumerable<StagedRow> rows)
    {
        var names = known.LlmConfigs.Values.Select(config => config.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var (hasDefault, hasFree) = (known.LlmConfigs.Values.Any(config => config.IsDefault), known.LlmConfigs.Values.Any(config => config.IsFreeDefault));
        var made = new List<LlmConfigView>();
        foreach (var (id, row) in Fresh(rows, known.LlmConfigs.ContainsKey))
        {
            var name = Named("llm_configs", id, row, "Config", LlmConfigRules.MaxName);
            if (!names.Add(name))
            {
                var taken = name;
                name = $"{name[..Math.Min(name.Length, LlmConfigRules.MaxName - 9)]} {id.ToString()[..8]}";
                names.Add(name);
                Notes.Add(("llm_configs", id.ToString(), "name", $"There is a config '{taken}' already: it is '{name}' now."));
            }

            bool Once(string field, ref bool has)
            {
                if (!Bool(row, field))
                {
                    return false;
                }

                if (has)
                {
                    Notes.Add(("llm_configs", id.ToString(), field, "The tenant has one already."));
                    return false;
                }

                return has = true;
            }

            double? Range(string field, double min, double max)
            {
                if (Number(row, field) is not { } number)
                {
                    return null;
                }

                if (number >= min && number <= max)
                {
                    return number;
                }

                Notes.Add(("llm_configs", id.ToString(), field, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number} is not from {min} to {max}, and is left out.")));
                return null;
            }

            string? Fit(string field, int max)
            {
                if (Text(row, field) is not { Length: > 0 } text || string.IsNullOrWhiteSpace(text))
                {
                    return null;
                }

                if (text.Length <= max)
                {
                    return text;
                }

                Notes.Add(("llm_configs", id.ToString(), field, $"It is longer than {max} characters, and cut."));
                return text[..max];
            }

            made.Add(new LlmConfigView(
                id, null, name, Text(row, "description"), Fit("model", LlmConfigRules.MaxModel), Fit("vision_model", LlmConfigRules.MaxModel), Fit("provider", LlmConfigRules.MaxProvider),
                Range("temperature", 0, 2), Range("top_p", 0, 1), Range("min_p", 0, 1), Range("top_a", 0, 1), (int?)Range("top_k", 0, int.MaxValue), Range("frequency_penalty", -2, 2),
                Range("presence_penalty", -2, 2), Range("repetition_penalty", 0, 2), (int?)Range("max_tokens", 1, int.MaxValue), (int?)Range("context_window_tokens", 1000, int.MaxValue), null, null,
                null, null, null, Range("memory_score_threshold", 0, 1), (int?)Range("memory_limit", 0, int.MaxValue), Once("is_default", ref hasDefault), Once("is_free_default", ref hasFree), 1,
                Time(row, "created_at"), Time(row, "updated_at")));
        }

        return made;
    }

    private static IEnumerable<(Guid Id, JsonObject Row)> Fresh(IEnumerable<StagedRow> rows, Func<Guid, bool> isKnown) =>
        rows.Select(row => (Id: Guid.Parse(row.Id), Row: JsonNode.Parse(row.Row.Json)!.AsObject())).Where(row => !isKnown(row.Id));

    private string Named(string table, Guid id, JsonObject row, string otherwise, int max)
    {
        var name = Text(row, "name");
        if (string.IsNullOrWhiteSpace(name))
        {
            Notes.Add((table, id.ToString(), "name", "It was blank."));
            return otherwise;
        }

        if (name.Length > max)
        {
            Notes.Add((table, id.ToString(), "name", $"It is longer than {max} characters, and cut."));
            return name[..max];
        }

        return name;
    }

    private static string? Text(JsonObject row, string field) => row[field] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? (string)value! : null;

    private static bool Bool(JsonObject row, string field) => row[field] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    private static double? Number(JsonObject row, string field) => row[field] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;

    /// <summary>The old tables say no zone: it is UTC.</summary>
    private DateTimeOffset Time(JsonObject row, string field) =>
        Text(row, field) is { } text && DateTime.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal | System.Globalization.DateTimeStyles.AssumeUniversal, out var time)
            ? new DateTimeOffset(time, TimeSpan.Zero).ToMicroseconds()
            : now;
}
