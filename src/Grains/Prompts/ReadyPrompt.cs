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
    private readonly ResolvedPrompt _resolved;
    private readonly PromptFormat _format;
    private readonly bool _explain;
    private PromptAnswer? _alone;

    /// <summary>Where the text of sections 1–5 ends in <see cref="Alone"/>; 0 if there is none.</summary>
    private int _frontEnd;

    /// <summary>Where that begins which stands behind the messages.</summary>
    private int _tail;

    private ReadyPrompt(ResolvedPrompt resolved, PromptFormat format, bool explain)
    {
        _resolved = resolved;
        _format = format;
        _explain = explain;
    }

    public string Version => _resolved.Version;

    /// <summary>Its front points to the time, so each answer has a current state.</summary>
    public bool NeedsTime => _resolved.Front.NeedsTime;

    /// <summary>An active focus session belongs into its current state.</summary>
    public bool ShowsFocus => _resolved.Settings.ShowsFocus;

    /// <summary>Its version tells it from every other answer. That says nothing of the tiers that didn't win; an explanation does.</summary>
    public bool IsRepeatable => !NeedsTime && !_explain;

    /// <summary>Without anything of a single request; may be sent as it is if the front needs no time.</summary>
    public PromptAnswer Alone => _alone ??= new PromptAnswer(Encode(), Version, IsRepeatable);

    /// <summary>The answer to whoever has this version already.</summary>
    public PromptAnswer Unchanged => new(null, Version, IsRepeatable);

    /// <summary>Whether one of the tags of an If-None-Match is this version's.</summary>
    public bool IsAmong(ReadOnlySpan<char> tags)
    {
        for (var at = tags.IndexOf(Version); at >= 0; tags = tags[(at + 1)..], at = tags.IndexOf(Version))
        {
            if (at > 0 && tags[at - 1] == '"' && at + Version.Length < tags.Length && tags[at + Version.Length] == '"')
            {
                return true;
            }
        }

        return tags.Trim() is "*";
    }

    /// <summary>Its size in memory; 0 if nobody has asked for its text.</summary>
    public int Size => _alone?.Body!.Length ?? 0;

    public static ReadyPrompt Of(ResolvedPrompt resolved, PromptFormat format, bool explain) => new(resolved, format, explain);

    private byte[] Encode()
    {
        var output = Scratch.Bytes();
        switch (_format)
        {
            case PromptFormat.Text:
                _resolved.Front.Write(output, TextForm.Plain);
                _frontEnd = _tail = output.WrittenCount;
                break;
            case PromptFormat.Openai:
                WriteFront(output, "{\"messages\":[{\"role\":\"system\",\"content\":\""u8, "\"}]"u8, "{\"messages\":[]"u8);
                WriteMembers(output);
                break;
            case PromptFormat.Anthropic:
                WriteFront(
                    output, "{\"system\":[{\"type\":\"text\",\"text\":\""u8,
                    "\",\"cache_control\":{\"type\":\"ephemeral\"}}],\"messages\":[]"u8, "{\"system\":[],\"messages\":[]"u8);
                WriteMembers(output);
                break;
            default:
                output.Write(EmptyNative);
                _resolved.Front.Write(output, TextForm.Json);
                _frontEnd = output.WrittenCount;
                output.Write("\",\"messages\":[]"u8);
                _tail = output.WrittenCount;
                output.Write(","u8);
                var json = Scratch.Json(output);
                NativeAnswer.WriteTail(json, _resolved, _explain);
                json.Flush();
                break;
        }

        if (_format != PromptFormat.Text)
        {
            output.Write("}"u8);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>The front between what stands before and behind it, or what stands there if there is none.</summary>
    private void WriteFront(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> before, ReadOnlySpan<byte> behind, ReadOnlySpan<byte> without)
    {
        output.Write(before);
        _resolved.Front.Write(output, TextForm.Json);
        if (output.WrittenCount > before.Length)
        {
            _frontEnd = output.WrittenCount;
            output.Write(behind);
        }
        else
        {
            output.ResetWrittenCount();
            output.Write(without);
        }

        _tail = output.WrittenCount;
    }

    private void WriteMembers(ArrayBufferWriter<byte> output)
    {
        var members = _resolved.Terms.Members(_format);
        if (members.Length > 0)
        {
            output.Write(","u8);
            output.Write(members);
        }
    }

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
