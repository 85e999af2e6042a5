using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>One message of the conversation, as every format carries it.</summary>
public readonly record struct PromptMessage(string Role, string Content);

/// <summary>
/// A resolved prompt in one format, as UTF-8. What doesn't depend on the request is encoded once; a request with a current
/// state, memories or messages only adds those between the two ends.
/// </summary>
public sealed class ReadyPrompt
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly PromptFormat _format;
    private readonly byte[] _front;
    private readonly byte[] _tail;

    private ReadyPrompt(PromptFormat format, byte[] front, byte[] tail, ResolvedPrompt resolved)
    {
        _format = format;
        _front = front;
        _tail = tail;
        Version = resolved.Version;
        NeedsTime = resolved.Front.NeedsTime;
        ShowsFocus = resolved.Settings.ShowsFocus;
        Alone = new PromptAnswer(Compose(null, [], null), Version, IsRepeatable: !NeedsTime);
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

    public int Size => _front.Length + _tail.Length + Alone.Body!.Length;

    public static ReadyPrompt Of(ResolvedPrompt resolved, PromptFormat format, bool explain) => new(
        format,
        format == PromptFormat.Text ? Encoding.UTF8.GetBytes(resolved.Front.Text) : Encode(resolved.Front.Text),
        format switch
        {
            PromptFormat.Native => Tail(json => WriteNative(json, resolved, explain)),
            PromptFormat.Openai => Tail(json => LlmBodies.WriteOpenAi(json, resolved.Llm)),
            PromptFormat.Anthropic => Tail(json => LlmBodies.WriteAnthropic(json, resolved.Llm)),
            _ => [],
        },
        resolved);

    /// <param name="state">Sections 6 and 7, joined.</param>
    /// <param name="window">Section 8.</param>
    /// <param name="message">Section 9.</param>
    public byte[] Compose(string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        var output = new ArrayBufferWriter<byte>(_front.Length + _tail.Length + 128 + (state?.Length ?? 0) + (message?.Length ?? 0));
        switch (_format)
        {
            case PromptFormat.Native:
                output.Write("{\"systemPrompt\":\""u8);
                WriteText(output, state);
                output.Write("\",\"messages\":["u8);
                WriteMessages(output, window, message, following: false);
                output.Write("]"u8);
                break;
            case PromptFormat.Openai:
                output.Write("{\"messages\":["u8);
                var spoken = _front.Length > 0 || state is not null;
                if (spoken)
                {
                    output.Write("{\"role\":\"system\",\"content\":\""u8);
                    WriteText(output, state);
                    output.Write("\"}"u8);
                }

                WriteMessages(output, window, message, following: spoken);
                output.Write("]"u8);
                break;
            case PromptFormat.Anthropic:
                output.Write("{\"system\":["u8);
                WriteBlocks(output, state);
                output.Write("],\"messages\":["u8);
                WriteMessages(output, window, message, following: false);
                output.Write("]"u8);
                break;
            default:
                WritePlain(output, state, window, message);
                break;
        }

        output.Write(_tail);
        return output.WrittenSpan.ToArray();
    }

    private void WriteText(ArrayBufferWriter<byte> output, string? state)
    {
        output.Write(_front);
        if (state is not null)
        {
            if (_front.Length > 0)
            {
                output.Write("\\n\\n"u8);
            }

            output.Write(Encode(state));
        }
    }

    /// <summary>Two blocks, so that the upstream keeps the first one.</summary>
    private void WriteBlocks(ArrayBufferWriter<byte> output, string? state)
    {
        if (_front.Length > 0)
        {
            output.Write("{\"type\":\"text\",\"text\":\""u8);
            output.Write(_front);
            output.Write("\",\"cache_control\":{\"type\":\"ephemeral\"}}"u8);
        }

        if (state is not null)
        {
            output.Write(_front.Length > 0 ? ",{\"type\":\"text\",\"text\":\""u8 : "{\"type\":\"text\",\"text\":\""u8);
            output.Write(Encode(state));
            output.Write("\"}"u8);
        }
    }

    private static void WriteMessages(ArrayBufferWriter<byte> output, IReadOnlyList<PromptMessage> window, string? message, bool following)
    {
        foreach (var said in window)
        {
            WriteMessage(output, said, following);
            following = true;
        }

        if (message is not null)
        {
            WriteMessage(output, new PromptMessage("user", message), following);
        }
    }

    private static void WriteMessage(ArrayBufferWriter<byte> output, PromptMessage message, bool following)
    {
        output.Write(following ? ",{\"role\":\""u8 : "{\"role\":\""u8);
        output.Write(Encode(message.Role));
        output.Write("\",\"content\":\""u8);
        output.Write(Encode(message.Content));
        output.Write("\"}"u8);
    }

    /// <summary>One text for all: here a message stands beside the sections, so it may not pose as one.</summary>
    private void WritePlain(ArrayBufferWriter<byte> output, string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        output.Write(_front);
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
            output.Write(Encoding.UTF8.GetBytes((_front.Length > 0 ? PromptFront.Joint : "") + string.Join(PromptFront.Joint, rest)));
        }
    }

    private static void WriteNative(Utf8JsonWriter json, ResolvedPrompt resolved, bool explain)
    {
        json.WritePropertyName("llm");
        LlmBodies.WriteNative(json, resolved.Llm);

        var persona = resolved.Persona.Value!;
        LlmBodies.Write(json, "persona", new { persona.Id, persona.Name, persona.PreferredName, persona.Pronouns, persona.Version });
        if (resolved.Material.Personality is { } personality)
        {
            LlmBodies.Write(json, "personality", new
            {
                personality.Id, personality.Slug, personality.Name, personality.DisplayName, personality.AvatarUrl, personality.ErrorMessage,
                personality.ContextWindowSize, personality.Version,
            });
        }
        else
        {
            var userPersona = resolved.Material.UserPersona!;
            json.WriteNull("personality");
            LlmBodies.Write(json, "userPersona", new { userPersona.Id, userPersona.Name, userPersona.DisplayName, userPersona.AvatarUrl, userPersona.VoiceId, userPersona.Version });
            LlmBodies.Write(json, "style", userPersona.Style);
        }

        if (resolved.Material is { WithFocusMode: true, Catalogue.FocusMode: { } mode })
        {
            LlmBodies.Write(json, "focusMode", new { mode.Id, mode.ModeName, mode.DisplayName, mode.Settings, mode.Version });
        }

        LlmBodies.Write(json, "settings", resolved.Settings.Effective);
        json.WritePropertyName("sources");
        WriteSources(json, resolved);
        json.WriteString("version", resolved.Version);
        if (explain)
        {
            json.WritePropertyName("explain");
            PromptExplanation.Of(resolved).WriteTo(json, Wire.Json);
        }
    }

    private static void WriteSources(Utf8JsonWriter json, ResolvedPrompt resolved)
    {
        json.WriteStartObject();
        json.WriteString("persona", resolved.Persona.From);
        if (resolved.SystemPrompt.From is { } from)
        {
            json.WriteString("systemPrompt", from);
        }

        json.WriteStartObject("llm");
        foreach (var choice in resolved.Llm.Chosen)
        {
            json.WriteString(choice.Field.Name, choice.From.Name);
        }

        json.WriteEndObject();
        json.WriteStartObject("settings");
        foreach (var (field, tier) in resolved.Settings.Sources())
        {
            json.WriteString(field, tier);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The members after the messages, with the comma before and the brace behind them.</summary>
    private static byte[] Tail(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(output, Writing))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        var written = output.WrittenSpan;
        return written.Length == 2 ? "}"u8.ToArray() : [(byte)',', .. written[1..]];
    }

    private static byte[] Encode(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();
}
