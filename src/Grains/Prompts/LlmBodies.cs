using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Prompts;

/// <summary>The merged parameters under the names that each kind of upstream knows.</summary>
public static class LlmBodies
{
    /// <summary>Anthropic's bodies must name a limit.</summary>
    public const int AnthropicMaxTokens = 4096;

    private const int AnthropicLeastThinking = 1024;

    private static readonly (LlmField Field, string Name)[] OpenAiNames =
    [
        (LlmField.Model, "model"), (LlmField.Temperature, "temperature"), (LlmField.TopP, "top_p"), (LlmField.MinP, "min_p"),
        (LlmField.TopA, "top_a"), (LlmField.TopK, "top_k"), (LlmField.FrequencyPenalty, "frequency_penalty"),
        (LlmField.PresencePenalty, "presence_penalty"), (LlmField.RepetitionPenalty, "repetition_penalty"), (LlmField.MaxTokens, "max_tokens"),
        (LlmField.Stop, "stop"), (LlmField.Seed, "seed"), (LlmField.LogitBias, "logit_bias"), (LlmField.ResponseFormat, "response_format"),
    ];

    public static void WriteNative(Utf8JsonWriter json, LlmMerge llm)
    {
        json.WriteStartObject();
        for (var i = 0; i < llm.Chosen.Count; i++)
        {
            json.WritePropertyName(llm.Chosen[i].Field.Encoded);
            WriteValue(json, llm.Chosen[i].Value);
        }

        json.WriteEndObject();
    }

    /// <summary>Members of a chat-completions body; the less usual ones as OpenAI-compatible upstreams name them.</summary>
    public static void WriteOpenAi(Utf8JsonWriter json, LlmMerge llm)
    {
        foreach (var (field, name) in OpenAiNames)
        {
            if (llm.Find(field) is { } choice)
            {
                Write(json, name, choice.Value);
            }
        }

        if (llm.Value<Reasoning>(LlmField.Reasoning) is { } reasoning)
        {
            json.WriteString("reasoning_effort", reasoning switch
            {
                Reasoning.Off => "none",
                Reasoning.Minimal => "minimal",
                Reasoning.Low => "low",
                Reasoning.Medium => "medium",
                Reasoning.High => "high",
                _ => "xhigh",
            });
        }
    }

    /// <summary>Members of a messages body. Thinking excludes the sampling parameters there, and takes its budget out of max_tokens.</summary>
    public static void WriteAnthropic(Utf8JsonWriter json, LlmMerge llm)
    {
        if (llm.Text(LlmField.Model) is { } model)
        {
            json.WriteString("model", model);
        }

        var maxTokens = llm.Value<int>(LlmField.MaxTokens) ?? AnthropicMaxTokens;
        json.WriteNumber("max_tokens", maxTokens);
        if (llm.Find(LlmField.Stop) is { } stop)
        {
            Write(json, "stop_sequences", stop.Value);
        }

        if (ThinkingBudget(llm.Value<Reasoning>(LlmField.Reasoning), maxTokens) is { } budget)
        {
            json.WriteStartObject("thinking");
            json.WriteString("type", "enabled");
            json.WriteNumber("budget_tokens", budget);
            json.WriteEndObject();
            return;
        }

        if (llm.Value<double>(LlmField.Temperature) is { } temperature)
        {
            json.WriteNumber("temperature", Math.Min(temperature, 1));
        }

        if (llm.Value<double>(LlmField.TopP) is { } topP)
        {
            json.WriteNumber("top_p", topP);
        }

        if (llm.Value<int>(LlmField.TopK) is > 0 and var topK)
        {
            json.WriteNumber("top_k", topK);
        }
    }

    private static int? ThinkingBudget(Reasoning? reasoning, int maxTokens)
    {
        int? wanted = reasoning switch
        {
            Reasoning.Minimal => AnthropicLeastThinking,
            Reasoning.Low => 2048,
            Reasoning.Medium => 8192,
            Reasoning.High => 16384,
            Reasoning.Max => 32768,
            _ => null,
        };
        return wanted is { } budget && maxTokens > AnthropicLeastThinking ? Math.Min(budget, maxTokens - 1) : null;
    }

    private static void Write(Utf8JsonWriter json, string name, object value)
    {
        json.WritePropertyName(name);
        WriteValue(json, value);
    }

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case string text:
                json.WriteStringValue(text);
                break;
            case double number:
                json.WriteNumberValue(number);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            default:
                JsonSerializer.Serialize(json, value, value.GetType(), Wire.Json);
                break;
        }
    }
}
