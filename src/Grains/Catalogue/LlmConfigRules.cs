using System.Text.Json;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>What an LLM config may look like. A parameter that is null says nothing and is always fine.</summary>
public static class LlmConfigRules
{
    public const int MaxName = 100;
    public const int MaxDescription = 500;
    public const int MaxModel = 200;
    public const int MaxProvider = 100;
    public const int MaxStops = 16;
    public const int MaxStop = 200;
    public const int MaxJson = 16 * 1024;

    public static Refusal? Check(LlmConfigView next, LlmConfigView? known = null) =>
        (next.Name == known?.Name ? null : Text.CheckRequired("name", next.Name, MaxName))
        ?? Text.CheckChanged("description", next.Description, known?.Description, MaxDescription)
        ?? CheckNamed("model", next.Model, known?.Model, MaxModel)
        ?? CheckNamed("visionModel", next.VisionModel, known?.VisionModel, MaxModel)
        ?? CheckNamed("provider", next.Provider, known?.Provider, MaxProvider)
        ?? Text.CheckRange("temperature", next.Temperature, 0, 2)
        ?? Text.CheckRange("topP", next.TopP, 0, 1)
        ?? Text.CheckRange("minP", next.MinP, 0, 1)
        ?? Text.CheckRange("topA", next.TopA, 0, 1)
        ?? Text.CheckAtLeast("topK", next.TopK, 0)
        ?? Text.CheckRange("frequencyPenalty", next.FrequencyPenalty, -2, 2)
        ?? Text.CheckRange("presencePenalty", next.PresencePenalty, -2, 2)
        ?? Text.CheckRange("repetitionPenalty", next.RepetitionPenalty, 0, 2)
        ?? Text.CheckAtLeast("maxTokens", next.MaxTokens, 1)
        ?? Text.CheckAtLeast("contextWindowTokens", next.ContextWindowTokens, 1000)
        ?? CheckStop(next.Stop)
        ?? CheckLogitBias(next.LogitBias, known?.LogitBias)
        ?? Text.CheckJson("responseFormat", next.ResponseFormat, known?.ResponseFormat, JsonValueKind.Object, MaxJson)
        ?? Text.CheckRange("memoryScoreThreshold", next.MemoryScoreThreshold, 0, 1)
        ?? Text.CheckAtLeast("memoryLimit", next.MemoryLimit, 0)
        ?? (next.IsDefault && !next.IsGlobal ? Refusal.Invalid("isDefault", "Only a global config can be the tenant's default.") : null)
        ?? (next.IsFreeDefault && !next.IsGlobal ? Refusal.Invalid("isFreeDefault", "Only a global config can be the tenant's default for free users.") : null);

    /// <summary>A config can't go while personalities have it as their default.</summary>
    public static Refusal InUse(IReadOnlyList<string> personalities) => Refusal.Conflict(
        "llm_config_in_use",
        personalities.Count == 0
            ? "A personality has this config as its default; give it another one first."
            : $"This config is the default of {string.Join(", ", personalities)}; give them another one first.")
        with
    {
        Extra = JsonText.From(new { usedBy = personalities }),
    };

    private static Refusal? CheckNamed(string field, string? value, string? known, int max) =>
        value is null || value == known ? null : Text.CheckRequired(field, value, max);

    private static Refusal? CheckStop(IReadOnlyList<string>? stop)
    {
        if (stop is null)
        {
            return null;
        }

        if (stop.Count is 0 or > MaxStops)
        {
            return Refusal.Invalid("stop", $"'stop' is a list of 1–{MaxStops} texts, or null.");
        }

        for (var i = 0; i < stop.Count; i++)
        {
            // A line break is a common stop, so blank is allowed; empty would stop at once.
            if (string.IsNullOrEmpty(stop[i]))
            {
                return Refusal.Invalid($"stop[{i}]", "A stop text isn't empty.");
            }

            if (Text.CheckOptional($"stop[{i}]", stop[i], MaxStop) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private static Refusal? CheckLogitBias(JsonText? bias, JsonText? known)
    {
        if (bias is null || bias == known)
        {
            return null;
        }

        if (Text.CheckJson("logitBias", bias, known, JsonValueKind.Object, MaxJson) is { } refusal)
        {
            return refusal;
        }

        using var document = JsonDocument.Parse(bias.Json);
        foreach (var token in document.RootElement.EnumerateObject())
        {
            if (token.Value.ValueKind != JsonValueKind.Number || !(Math.Abs(token.Value.GetDouble()) <= 100))
            {
                return Refusal.Invalid($"logitBias.{Text.Shorten(token.Name)}", "A logit bias is a number from -100 to 100.");
            }
        }

        return null;
    }
}
