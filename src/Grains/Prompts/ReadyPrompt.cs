using System.Buffers;
using System.Text;
using System.Text.Json;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>One message of the conversation, as every format carries it.</summary>
public readonly record struct PromptMessage(string Role, string Content);

/// <summary>
/// A resolved prompt in one format, as UTF-8. It is encoded once, for a request that adds nothing; one with a current state,
/// memories or messages is that answer again with those put in between: its front stays the same bytes.
/// </summary>
public sealed class ReadyPrompt
{
    private readonly PromptFormat _format;

    /// <summary>Where the text of sections 1–5 ends in <see cref="Alone"/>; 0 if there is none.</summary>
    private readonly int _frontEnd;

    /// <summary>Where that begins which stands behind the messages.</summary>
    private readonly int _tail;

    private ReadyPrompt(PromptFormat format, byte[] body, int frontEnd, int tail, ResolvedPrompt resolved)
    {
        _format = format;
        _frontEnd = frontEnd;
        _tail = tail;
        Version = resolved.Version;
        NeedsTime = resolved.Front.NeedsTime;
        ShowsFocus = resolved.Settings.ShowsFocus;
        Alone = new PromptAnswer(body, Version, IsRepeatable: !NeedsTime);
        Unchanged = Alone with { Body = null };
    }

    public string Version { get; }

    /// <summary>Its front points to the time, so each answer has a current state.</summary>
    public bool NeedsTime { get; }

    /// <summary>An active focus session belongs into its current state.</summary>
    public bool ShowsFocus { get; }

    /// <summary>Without anything of a single request; may be sent as it is if the front needs no time.</summary>
    public PromptAnswer Alone { get; }

    /// <summary>The answer to whoever has this version already.</summary>
    public PromptAnswer Unchanged { get; }

    public int Size => Alone.Body!.Length;

    public static ReadyPrompt Of(ResolvedPrompt resolved, PromptFormat format, bool explain)
    {
        var front = resolved.Front.Text;
        if (format == PromptFormat.Text)
        {
            var text = Encoding.UTF8.GetBytes(front);
            return new ReadyPrompt(format, text, text.Length, text.Length, resolved);
        }

        var output = Scratch.Bytes();
        var json = Scratch.Json(output);
        json.WriteStartObject();
        var frontEnd = format switch
        {
            PromptFormat.Openai => OpenAiStart(json, front),
            PromptFormat.Anthropic => AnthropicStart(json, front),
            _ => NativeStart(json, front),
        };
        json.Flush();
        var tail = output.WrittenCount;
        switch (format)
        {
            case PromptFormat.Openai:
                LlmBodies.WriteOpenAi(json, resolved.Llm);
                break;
            case PromptFormat.Anthropic:
                LlmBodies.WriteAnthropic(json, resolved.Llm);
                break;
            default:
                NativeAnswer.WriteTail(json, resolved, explain);
                break;
        }

        json.WriteEndObject();
        json.Flush();
        return new ReadyPrompt(format, output.WrittenSpan.ToArray(), frontEnd, tail, resolved);
    }

    private static int NativeStart(Utf8JsonWriter json, string front)
    {
        json.WriteString("systemPrompt"u8, front);
        var end = Position(json) - 1;
        json.WriteStartArray("messages"u8);
        json.WriteEndArray();
        return end;
    }

    private static int OpenAiStart(Utf8JsonWriter json, string front)
    {
        json.WriteStartArray("messages"u8);
        var end = 0;
        if (front.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            json.WriteString("content"u8, front);
            end = Position(json) - 1;
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return end;
    }

    private static int AnthropicStart(Utf8JsonWriter json, string front)
    {
        json.WriteStartArray("system"u8);
        var end = 0;
        if (front.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "text"u8);
            json.WriteString("text"u8, front);
            end = Position(json) - 1;
            json.WriteStartObject("cache_control"u8);
            json.WriteString("type"u8, "ephemeral"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("messages"u8);
        json.WriteEndArray();
        return end;
    }

    private static int Position(Utf8JsonWriter json) => (int)json.BytesCommitted + json.BytesPending;

    /// <param name="state">Sections 6 and 7, joined.</param>
    /// <param name="window">Section 8.</param>
    /// <param name="message">Section 9.</param>
    public byte[] Compose(string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        var body = Alone.Body.AsSpan();
        var output = Scratch.Bytes();
        output.Write(body[.._frontEnd]);
        switch (_format)
        {
            case PromptFormat.Native:
                WriteState(output, state);
                output.Write("\",\"messages\":["u8);
                break;
            case PromptFormat.Openai:
                if (_frontEnd == 0)
                {
                    output.Write("{\"messages\":["u8);
                }

                if (_frontEnd == 0 && state is not null)
                {
                    output.Write("{\"role\":\"system\",\"content\":\""u8);
                }

                if (_frontEnd > 0 || state is not null)
                {
                    WriteState(output, state);
                    output.Write("\"}"u8);
                }

                break;
            case PromptFormat.Anthropic:
                // A block of its own behind the front's, so that the upstream keeps the first one.
                output.Write(_frontEnd > 0 ? "\",\"cache_control\":{\"type\":\"ephemeral\"}}"u8 : "{\"system\":["u8);
                if (state is not null)
                {
                    output.Write(_frontEnd > 0 ? ",{\"type\":\"text\",\"text\":\""u8 : "{\"type\":\"text\",\"text\":\""u8);
                    Write(output, state);
                    output.Write("\"}"u8);
                }

                output.Write("],\"messages\":["u8);
                break;
            default:
                WritePlain(output, state, window, message);
                return output.WrittenSpan.ToArray();
        }

        var following = _format == PromptFormat.Openai && (_frontEnd > 0 || state is not null);
        foreach (var said in window)
        {
            WriteMessage(output, said, following);
            following = true;
        }

        if (message is not null)
        {
            WriteMessage(output, new PromptMessage("user", message), following);
        }

        output.Write("]"u8);
        output.Write(body[_tail..]);
        return output.WrittenSpan.ToArray();
    }

    private void WriteState(ArrayBufferWriter<byte> output, string? state)
    {
        if (state is null)
        {
            return;
        }

        if (HasFront)
        {
            output.Write("\\n\\n"u8);
        }

        Write(output, state);
    }

    private bool HasFront => _format == PromptFormat.Native ? _frontEnd > EmptyNative.Length : _frontEnd > 0;

    private static ReadOnlySpan<byte> EmptyNative => "{\"systemPrompt\":\""u8;

    private static void WriteMessage(ArrayBufferWriter<byte> output, PromptMessage message, bool following)
    {
        output.Write(following ? ",{\"role\":\""u8 : "{\"role\":\""u8);
        Write(output, message.Role);
        output.Write("\",\"content\":\""u8);
        Write(output, message.Content);
        output.Write("\"}"u8);
    }

    private static void Write(ArrayBufferWriter<byte> output, string text) =>
        output.Write(JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);

    /// <summary>One text for all: here a message stands beside the sections, so it may not pose as one.</summary>
    private void WritePlain(ArrayBufferWriter<byte> output, string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        var rest = new List<string>();
        if (state is not null)
        {
            rest.Add(state);
        }

        rest.AddRange(window.Select(said => $"{said.Role}: {ProtectedTags.Escape(said.Content)}"));
        if (message is not null)
        {
            rest.Add(ProtectedTags.Escape(message));
        }

        if (rest.Count > 0)
        {
            output.Write(Encoding.UTF8.GetBytes((HasFront ? PromptFront.Joint : "") + string.Join(PromptFront.Joint, rest)));
        }
    }
}
