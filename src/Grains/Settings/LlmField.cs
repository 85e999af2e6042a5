using System.Text.Json;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using Effort = PersonaActors.Contracts.Catalogue.Reasoning;

namespace PersonaActors.Grains.Settings;

/// <summary>The parameters of an LLM config, and under which names upstreams know them. What it says of memories is a setting (<see cref="SettingField"/>).</summary>
public static class LlmField
{
    /// <summary>Anthropic's bodies must name a limit.</summary>
    public const int AnthropicMaxTokens = 4096;

    public static readonly Field<LlmConfigView> Model = new("model", c => c.Model);
    public static readonly Field<LlmConfigView> Temperature = new("temperature", c => c.Temperature);
    public static readonly Field<LlmConfigView> TopP = new("topP", c => c.TopP);
    public static readonly Field<LlmConfigView> TopK = new("topK", c => c.TopK);
    public static readonly Field<LlmConfigView> MaxTokens = new("maxTokens", c => c.MaxTokens);
    public static readonly Field<LlmConfigView> ContextWindowTokens = new("contextWindowTokens", c => c.ContextWindowTokens);
    public static readonly Field<LlmConfigView> Stop = new("stop", c => c.Stop);
    public static readonly Field<LlmConfigView> Reasoning = new("reasoning", c => c.Reasoning);

    public static readonly IReadOnlyList<Field<LlmConfigView>> All =
    [
        Model, new("visionModel", c => c.VisionModel), new("provider", c => c.Provider), Temperature, TopP, new("minP", c => c.MinP),
        new("topA", c => c.TopA), TopK, new("frequencyPenalty", c => c.FrequencyPenalty), new("presencePenalty", c => c.PresencePenalty),
        new("repetitionPenalty", c => c.RepetitionPenalty), MaxTokens, ContextWindowTokens, Stop,
        new("seed", c => c.Seed), new("logitBias", c => c.LogitBias), new("responseFormat", c => c.ResponseFormat), Reasoning,
    ];

    /// <summary>What the service and its frontends use themselves; no upstream takes it.</summary>
    private static readonly string[] Ours = ["visionModel", "provider", "contextWindowTokens"];

    /// <summary>The members of an upstream's body, beside messages and system.</summary>
    public static IDictionary<string, object> ToMembers(this Merge<LlmConfigView> llm, PromptFormat format) =>
        format == PromptFormat.Openai ? OpenAi(llm) : Anthropic(llm);

    /// <summary>The less usual ones as OpenAI-compatible upstreams name them.</summary>
    private static OrderedDictionary<string, object> OpenAi(Merge<LlmConfigView> llm) =>
        new(llm.Chosen.Where(choice => !Ours.Contains(choice.Field.Name)).Select(choice => choice.Value is Effort effort
            ? KeyValuePair.Create<string, object>("reasoning_effort", effort switch
            {
                Effort.Off => "none",
                Effort.Max => "xhigh",
                _ => effort,
            })
            : KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(choice.Field.Name), choice.Value)));

    /// <summary>Thinking excludes the sampling parameters there, and takes its budget out of max_tokens: it comes on top of what the answer may have.</summary>
    private static OrderedDictionary<string, object> Anthropic(Merge<LlmConfigView> llm)
    {
        int? budget = llm[Reasoning] switch
        {
            Effort.Minimal => 1024,
            Effort.Low => 2048,
            Effort.Medium => 8192,
            Effort.High => 16384,
            Effort.Max => 32768,
            _ => null,
        };
        (string Name, object? Value)[] members =
        [
            ("model", llm[Model]),
            ("max_tokens", (llm[MaxTokens] as int? ?? AnthropicMaxTokens) + (budget ?? 0)),
            ("stop_sequences", llm[Stop]),
            .. budget is { } thinking
                ? (ReadOnlySpan<(string, object?)>)[("thinking", new { type = "enabled", budget_tokens = thinking })]
                : [("temperature", llm[Temperature] is double warm ? Math.Min(warm, 1) : null), ("top_p", llm[TopP]), ("top_k", llm[TopK] is > 0 ? llm[TopK] : null)],
        ];
        return new(members.Where(member => member.Value is not null).Select(member => KeyValuePair.Create(member.Name, member.Value!)));
    }
}
