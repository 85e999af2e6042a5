using System.Text.Json;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Settings;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// A resolved prompt as the body of an answer, in one of its formats. A current state and messages are put in between: the
/// front before them is the same bytes with any.
/// </summary>
public static class PromptBody
{
    /// <summary>What stands around speaker and persona in most answers.</summary>
    private const int Around = 1024;

    /// <summary>Its role, and what JSON wants.</summary>
    private const int AroundMessage = 36;

    /// <param name="state">Sections 6 and 7, joined.</param>
    /// <param name="window">Section 8.</param>
    /// <param name="message">Section 9.</param>
    /// <param name="mindscape">What a mapper's rules say, where that is explained.</param>
    public static ReadOnlyMemory<byte> Compose(
        ResolvedPrompt prompt, PromptFormat format, bool explain = false, string? state = null, IReadOnlyList<PromptMessage>? window = null, string? message = null,
        JsonText? mindscape = null)
    {
        var front = prompt.Speaker.Length + prompt.Persona.Length + Around;
        if (format == PromptFormat.Text)
        {
            return Plain(new Utf8Writer(front), prompt, state, window ?? [], message);
        }

        PromptMessage[] messages = [.. window ?? [], .. message is null ? [] : (PromptMessage[])[new PromptMessage("user", message)]];
        var output = new Utf8Writer(front + messages.Sum(static said => said.Utf8.Length + AroundMessage));
        switch (format)
        {
            case PromptFormat.Openai:
                WriteOpenai(output, prompt, state, messages);
                break;
            case PromptFormat.Anthropic:
                WriteAnthropic(output, prompt, state, messages);
                break;
            default:
                WriteNative(output, prompt, explain, state, messages, mindscape);
                break;
        }

        return output.Written;
    }

    private static void WriteNative(Utf8Writer output, ResolvedPrompt prompt, bool explain, string? state, PromptMessage[] messages, JsonText? mindscape)
    {
        var (terms, persona, promptFrom) = (prompt.Terms, prompt.Persona, prompt.Material.SystemPrompt.From);
        output.Write("{\"systemPrompt\":\""u8);
        WriteText(output, prompt, state);
        output.Write("\",\"messages\":["u8);
        WriteMessages(output, messages);
        output.Write(",\"llm\":"u8).Write(terms.Llm.Values)
            .Write(",\"persona\":"u8).Write(persona.Json)
            .Write(","u8).Write(prompt.Speaker.Members)
            .Write(",\"settings\":"u8).Write(terms.Settings.Values)
            .Write(",\"sources\":{\"llm\":"u8).Write(terms.Llm.Sources).Write(",\"settings\":"u8).Write(terms.Settings.Sources)
            .Write(",\"persona\":\""u8).WriteAscii(prompt.PersonaFrom)
            .Write(promptFrom is null ? [] : "\",\"systemPrompt\":\""u8).WriteAscii(promptFrom ?? "")
            .Write("\"},\"version\":\""u8).WriteAscii(prompt.Version).Write("\""u8)
            .Write(explain ? ",\"explain\":"u8 : []).Write(explain ? Json(Explain(prompt, mindscape)) : [])
            .Write("}"u8);
    }

    private static void WriteOpenai(Utf8Writer output, ResolvedPrompt prompt, string? state, PromptMessage[] messages)
    {
        var start = output.Write("{\"messages\":["u8).Length;
        var text = output.Write("{\"role\":\"system\",\"content\":\""u8).Length;
        WriteText(output, prompt, state);
        if (output.Length == text)
        {
            output.CutTo(start);
        }
        else
        {
            output.Write(messages.Length > 0 ? "\"},"u8 : "\"}"u8);
        }

        WriteMessages(output, messages);
        WriteMembers(output, prompt, PromptFormat.Openai);
    }

    /// <summary>The state in a block of its own behind the front's, so that the upstream keeps the first one.</summary>
    private static void WriteAnthropic(Utf8Writer output, ResolvedPrompt prompt, string? state, PromptMessage[] messages)
    {
        var start = output.Write("{\"system\":["u8).Length;
        var text = output.Write("{\"type\":\"text\",\"text\":\""u8).Length;
        PromptText.WriteFront(output, prompt);
        if (output.Length == text)
        {
            output.CutTo(start);
        }
        else
        {
            output.Write("\",\"cache_control\":{\"type\":\"ephemeral\"}}"u8).Write(state is null ? [] : ","u8);
        }

        output.Write(state is null ? [] : Json(new { type = "text", text = state })).Write("],\"messages\":["u8);
        WriteMessages(output, messages);
        WriteMembers(output, prompt, PromptFormat.Anthropic);
    }

    /// <summary>The rest of an array that has begun.</summary>
    private static void WriteMessages(Utf8Writer output, PromptMessage[] messages)
    {
        for (var i = 0; i < messages.Length; i++)
        {
            output.Write(i > 0 ? ",{\"role\":\""u8 : "{\"role\":\""u8).WriteAscii(messages[i].Role).Write("\",\"content\":\""u8).Write(messages[i].Utf8).Write("\"}"u8);
        }

        output.Write("]"u8);
    }

    private static void WriteMembers(Utf8Writer output, ResolvedPrompt prompt, PromptFormat format)
    {
        var members = prompt.Terms.Llm.ToMembers(format);
        output.Write(members.Count > 0 ? ","u8 : []).Write(Json(members).AsSpan()[1..]);
    }

    private static void WriteText(Utf8Writer output, ResolvedPrompt prompt, string? state)
    {
        var start = output.Length;
        PromptText.WriteFront(output, prompt);
        if (state is not null)
        {
            PromptText.AddLiteral(output, start, state);
        }
    }

    /// <summary>One text for all: here a message stands beside the sections, so it may not pose as one.</summary>
    private static ReadOnlyMemory<byte> Plain(Utf8Writer output, ResolvedPrompt prompt, string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        output.Write("\""u8);
        WriteText(output, prompt, state);
        foreach (var said in window)
        {
            PromptText.AddLiteral(output, 1, $"{said.Role}: {ProtectedTags.Escape(said.Content)}");
        }

        if (message is not null)
        {
            PromptText.AddLiteral(output, 1, ProtectedTags.Escape(message));
        }

        output.Write("\""u8);
        var text = new Utf8JsonReader(output.Written.Span);
        text.Read();
        var plain = new byte[output.Length];
        return plain.AsMemory(0, text.CopyString(plain));
    }

    /// <summary>Every tier's value for every field, set or not: why the answer is as it is, and what would hold if a nearer tier said nothing.</summary>
    private static object Explain(ResolvedPrompt prompt, JsonText? mindscape)
    {
        var (material, llm, settings) = (prompt.Material, prompt.Terms.Llm, prompt.Terms.Settings);
        return new
        {
            mindscape,
            persona = ByTier(
                (Source.Override, material.OverridePersona is { } mine ? new { mine.Id, mine.Name, mine.Version } : null),
                (Source.UserDefault, material.DefaultPersona is { } usual ? new { usual.Id, usual.Name, usual.Version } : null)),
            systemPrompt = ByTier(
                (Source.Personality, material.OwnSystemPrompt is { } own ? new { own.Id, own.Name, own.Version } : null),
                (Source.TenantDefault, material.Catalogue.DefaultSystemPrompt is { } common ? new { common.Id, common.Name, common.Version } : null)),
            configs = ByTier(llm.Tiers.Select(tier => (tier.Name, tier.Says is { } config ? (object)new { config.Id, config.Name, config.Version } : null))),
            llm = ByTier(llm.Fields.Select(field => (field.Name, (object?)ByTier(llm.Tiers.Select(tier => (tier.Name, tier.Value(field))))))),
            // Furthest first.
            settings = ByTier(settings.Fields.Select(field => (field.Name, (object?)ByTier(settings.Tiers.Reverse().Select(tier => (tier.Name, tier.Value(field))))))),
        };
    }

    private static OrderedDictionary<string, object?> ByTier(params IEnumerable<(string Name, object? Value)> tiers) =>
        new(tiers.Select(tier => KeyValuePair.Create(tier.Name, tier.Value)));

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Wire.Json);
}
