using System.Text.Json;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Prompts;

/// <summary>One parameter of an LLM config: how it is called and where it is read.</summary>
public sealed record LlmField(string Name, Func<LlmConfigView, object?> Of)
{
    /// <summary>Its name as JSON has it.</summary>
    public JsonEncodedText Encoded { get; } = JsonEncodedText.Encode(Name);

    public static readonly LlmField Model = new("model", c => c.Model);
    public static readonly LlmField VisionModel = new("visionModel", c => c.VisionModel);
    public static readonly LlmField Provider = new("provider", c => c.Provider);
    public static readonly LlmField Temperature = new("temperature", c => c.Temperature);
    public static readonly LlmField TopP = new("topP", c => c.TopP);
    public static readonly LlmField MinP = new("minP", c => c.MinP);
    public static readonly LlmField TopA = new("topA", c => c.TopA);
    public static readonly LlmField TopK = new("topK", c => c.TopK);
    public static readonly LlmField FrequencyPenalty = new("frequencyPenalty", c => c.FrequencyPenalty);
    public static readonly LlmField PresencePenalty = new("presencePenalty", c => c.PresencePenalty);
    public static readonly LlmField RepetitionPenalty = new("repetitionPenalty", c => c.RepetitionPenalty);
    public static readonly LlmField MaxTokens = new("maxTokens", c => c.MaxTokens);
    public static readonly LlmField ContextWindowTokens = new("contextWindowTokens", c => c.ContextWindowTokens);
    public static readonly LlmField Stop = new("stop", c => c.Stop);
    public static readonly LlmField Seed = new("seed", c => c.Seed);
    public static readonly LlmField LogitBias = new("logitBias", c => c.LogitBias);
    public static readonly LlmField ResponseFormat = new("responseFormat", c => c.ResponseFormat);
    public static readonly LlmField Reasoning = new("reasoning", c => c.Reasoning);
    public static readonly LlmField MemoryScoreThreshold = new("memoryScoreThreshold", c => c.MemoryScoreThreshold);
    public static readonly LlmField MemoryLimit = new("memoryLimit", c => c.MemoryLimit);

    public static readonly IReadOnlyList<LlmField> All =
    [
        Model, VisionModel, Provider, Temperature, TopP, MinP, TopA, TopK, FrequencyPenalty, PresencePenalty, RepetitionPenalty, MaxTokens,
        ContextWindowTokens, Stop, Seed, LogitBias, ResponseFormat, Reasoning, MemoryScoreThreshold, MemoryLimit,
    ];
}

/// <summary>A tier of the LLM cascade; it may have no config.</summary>
public readonly record struct LlmTier(string Name, LlmConfigView? Config);

/// <summary>A field's value and the tier it came from; a field that no tier sets isn't chosen.</summary>
public readonly record struct LlmChoice(LlmField Field, object Value, LlmTier From);

/// <summary>The LLM parameters of a prompt: field by field, of the nearest tier that sets it.</summary>
public sealed class LlmMerge
{
    /// <summary>All tiers, nearest first.</summary>
    public required IReadOnlyList<LlmTier> Tiers { get; init; }

    /// <summary>The fields that some tier sets, in their fixed order.</summary>
    public required IReadOnlyList<LlmChoice> Chosen { get; init; }

    public static LlmMerge Of(params IReadOnlyList<LlmTier> tiers)
    {
        var chosen = new List<LlmChoice>(8);
        var present = tiers.Where(tier => tier.Config is not null).ToArray();
        foreach (var field in LlmField.All)
        {
            foreach (var tier in present)
            {
                if (field.Of(tier.Config!) is { } value)
                {
                    chosen.Add(new LlmChoice(field, value, tier));
                    break;
                }
            }
        }

        return new LlmMerge { Tiers = tiers, Chosen = chosen };
    }

    public LlmChoice? Find(LlmField field)
    {
        foreach (var choice in Chosen)
        {
            if (choice.Field == field)
            {
                return choice;
            }
        }

        return null;
    }

    public T? Value<T>(LlmField field)
        where T : struct => Find(field)?.Value is T value ? value : null;

    public string? Text(LlmField field) => Find(field)?.Value as string;

    /// <summary>A focus mode speaks of the model only.</summary>
    public static LlmTier OfFocusMode(FocusModeView? mode) => new(Source.FocusMode, mode?.DefaultModel is { } model
        ? new LlmConfigView(
            mode.Id, null, mode.ModeName, null, model, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
            null, null, null, false, false, mode.Version, mode.CreatedAt, mode.UpdatedAt)
        : null);
}
