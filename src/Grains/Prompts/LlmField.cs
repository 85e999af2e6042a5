using System.Text.Json;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using Effort = PersonaActors.Contracts.Catalogue.Reasoning;

namespace PersonaActors.Grains.Prompts;

/// <summary>The parameters of an LLM config, and under which names upstreams know them.</summary>
public static class LlmField
{
    /// <summary>Anthropic's bodies must name a limit.</summary>
    public const int AnthropicMaxTokens = 4096;

    private const int AnthropicLeastThinking = 1024;

    public static readonly Field<LlmConfigView> Model = new("model", c => c.Model);
    public static readonly Field<LlmConfigView> Temperature = new("temperature", c => c.Temperature);
    public static readonly Field<LlmConfigView> TopP = new("topP", c => c.TopP);
    public static readonly Field<LlmConfigView> TopK = new("topK", c => c.TopK);
    public static readonly Field<LlmConfigView> MaxTokens = new("maxTokens", c => c.MaxTokens);
    public static readonly Field<LlmConfigView> Stop = new("stop", c => c.Stop);
    public static readonly Field<LlmConfigView> Reasoning = new("reasoning", c => c.Reasoning);

    /// <summary>What the service and its frontends use themselves; no upstream takes it.</summary>
    private static readonly Field<LlmConfigView>[] Ours =
    [
        new("visionModel", c => c.VisionModel), new("provider", c => c.Provider), new("contextWindowTokens", c => c.ContextWindowTokens),
        new("memoryScoreThreshold", c => c.MemoryScoreThreshold), new("memoryLimit", c => c.MemoryLimit),
    ];

    public static readonly IReadOnlyList<Field<LlmConfigView>> All =
    [
        Model, Ours[0], Ours[1], Temperature, TopP, new("minP", c => c.MinP), new("topA", c => c.TopA), TopK,
        new("frequencyPenalty", c => c.FrequencyPenalty), new("presencePenalty", c => c.PresencePenalty),
        new("repetitionPenalty", c => c.RepetitionPenalty), MaxTokens, Ours[2], Stop, new("seed", c => c.Seed),
        new("logitBias", c => c.LogitBias), new("responseFormat", c => c.ResponseFormat), Reasoning, Ours[3], Ours[4],
    ];

    /// <summary>The members of an upstream's body, beside messages and system.</summary>
    public static IDictionary<string, object> ToMembers(this Merge<LlmConfigView> llm, PromptFormat format) =>
        format == PromptFormat.Openai ? OpenAi(llm) : Anthropic(llm);

    /// <summary>The less usual ones as OpenAI-compatible upstreams name them.</summary>
    private static OrderedDictionary<string, object> OpenAi(Merge<LlmConfigView> llm) =>
        new(llm.Chosen.Where(choice => !Ours.Contains(choice.Field)).Select(choice => choice.Value is Effort effort
            ? KeyValuePair.Create<string, object>("reasoning_effort", effort switch
            {
                Effort.Off => "none",
                Effort.Max => "xhigh",
                _ => effort,
            })
            : KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(choice.Field.Name), choice.Value)));

    /// <summary>Thinking excludes the sampling parameters there, and takes its budget out of max_tokens.</summary>
    private static OrderedDictionary<string, object> Anthropic(Merge<LlmConfigView> llm)
    {
        var members = new OrderedDictionary<string, object>();
        if (llm[Model] is { } model)
        {
            members["model"] = model;
        }

        var maxTokens = llm[MaxTokens] as int? ?? AnthropicMaxTokens;
        members["max_tokens"] = maxTokens;
        if (llm[Stop] is { } stop)
        {
            members["stop_sequences"] = stop;
        }

        int? thinking = llm[Reasoning] switch
        {
            Effort.Minimal => AnthropicLeastThinking,
            Effort.Low => 2048,
            Effort.Medium => 8192,
            Effort.High => 16384,
            Effort.Max => 32768,
            _ => null,
        };
        if (thinking is { } budget && maxTokens > AnthropicLeastThinking)
        {
            members["thinking"] = new { type = "enabled", budget_tokens = Math.Min(budget, maxTokens - 1) };
            return members;
        }

        if (llm[Temperature] is double temperature)
        {
            members["temperature"] = Math.Min(temperature, 1);
        }

        if (llm[TopP] is { } topP)
        {
            members["top_p"] = topP;
        }

        if (llm[TopK] is int topK and > 0)
        {
            members["top_k"] = topK;
        }

        return members;
    }
}
