using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>One message of the conversation, as every format carries it.</summary>
public readonly record struct PromptMessage(string Role, string Content);

/// <summary>
/// A resolved prompt in one format, as UTF-8. It is made once for a request that adds nothing; one with a current state,
/// memories or messages is made anew, with those put in between: its front is the same bytes.
/// </summary>
public sealed class ReadyPrompt
{
    private readonly PromptFormat _format;
    private readonly bool _explain;
    private PromptAnswer? _alone;

    private ReadyPrompt(ResolvedPrompt resolved, PromptFormat format, bool explain)
    {
        Resolved = resolved;
        _format = format;
        _explain = explain;
        Version = resolved.Version;
        NeedsTime = resolved.Front.NeedsTime;
        ShowsFocus = resolved.Settings.ShowsFocus;
    }

    public ResolvedPrompt Resolved { get; }

    public string Version { get; }

    /// <summary>Its front points to the time, so each answer has a current state.</summary>
    public bool NeedsTime { get; }

    /// <summary>An active focus session belongs into its current state.</summary>
    public bool ShowsFocus { get; }

    /// <summary>Its version tells it from every other answer. That says nothing of the tiers that didn't win; an explanation does.</summary>
    public bool IsRepeatable => !NeedsTime && !_explain;

    /// <summary>Without anything of a single request; may be sent as it is if the front needs no time.</summary>
    public PromptAnswer Alone => _alone ??= new PromptAnswer(Compose(null, [], null), Version, IsRepeatable);

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

    /// <summary>At most so much memory is its text's; 0 if nobody has asked for that.</summary>
    public int Size => _alone?.Body!.Length ?? 0;

    public static ReadyPrompt Of(ResolvedPrompt resolved, PromptFormat format, bool explain) => new(resolved, format, explain);

    public ReadyPrompt With(IReadOnlyDictionary<string, string> variables) =>
        Of(ResolvedPrompt.Of(Resolved.Material with { Variables = variables }, Resolved.PersonaSection), _format, _explain);

    /// <param name="state">Sections 6 and 7, joined.</param>
    /// <param name="window">Section 8.</param>
    /// <param name="message">Section 9.</param>
    public PromptText Compose(string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        var output = Scratch.Prompt();
        switch (_format)
        {
            case PromptFormat.Native:
                output.Write("{\"systemPrompt\":\""u8);
                WriteFrontAndState(output, state);
                output.Write("\",\"messages\":["u8);
                WriteMessages(output, window, message, following: false);
                output.Write("],"u8);
                NativeAnswer.WriteTail(output, Resolved, _explain);
                output.Write("}"u8);
                break;
            case PromptFormat.Openai:
                WriteOpenai(output, state, window, message);
                WriteMembers(output);
                break;
            case PromptFormat.Anthropic:
                WriteAnthropic(output, state);
                output.Write("],\"messages\":["u8);
                WriteMessages(output, window, message, following: false);
                output.Write("]"u8);
                WriteMembers(output);
                break;
            default:
                WritePlain(output, state, window, message);
                break;
        }

        return output.ToText();
    }

    private void WriteOpenai(PromptWriter output, string? state, IReadOnlyList<PromptMessage> window, string? message)
    {
        var system = "{\"role\":\"system\",\"content\":\""u8;
        output.Write("{\"messages\":["u8);
        output.Write(system);
        var hasText = WriteFrontAndState(output, state);
        if (hasText)
        {
            output.Write("\"}"u8);
        }
        else
        {
            output.TakeBack(system.Length);
        }

        WriteMessages(output, window, message, following: hasText);
        output.Write("]"u8);
    }

    /// <summary>The state in a block of its own behind the front's, so that the upstream keeps the first one.</summary>
    private void WriteAnthropic(PromptWriter output, string? state)
    {
        var block = "{\"type\":\"text\",\"text\":\""u8;
        output.Write("{\"system\":["u8);
        output.Write(block);
        if (WriteFront(output))
        {
            output.Write("\",\"cache_control\":{\"type\":\"ephemeral\"}}"u8);
            output.Write(state is null ? [] : ","u8);
        }
        else
        {
            output.TakeBack(block.Length);
        }

        if (state is not null)
        {
            output.Write(block);
            output.Write(TextForm.Json, state);
            output.Write("\"}"u8);
        }
    }

    private void WriteMembers(PromptWriter output)
    {
        var members = Resolved.Terms.Members(_format);
        if (members.Length > 0)
        {
            output.Write(","u8);
            output.Share(members);
        }

        output.Write("}"u8);
    }

    /// <summary>Whether it has any text.</summary>
    private bool WriteFront(PromptWriter output)
    {
        var before = output.Length;
        Resolved.Front.Write(output, _format == PromptFormat.Text ? TextForm.Plain : TextForm.Json);
        return output.Length > before;
    }

    private bool WriteFrontAndState(PromptWriter output, string? state)
    {
        var hasFront = WriteFront(output);
        if (state is null)
        {
            return hasFront;
        }

        output.Write(hasFront ? "\\n\\n"u8 : []);
        output.Write(TextForm.Json, state);
        return true;
    }

    private static void WriteMessages(PromptWriter output, IReadOnlyList<PromptMessage> window, string? message, bool following)
    {
        for (var i = 0; i < window.Count; i++)
        {
            WriteMessage(output, window[i], following);
            following = true;
        }

        if (message is not null)
        {
            WriteMessage(output, new PromptMessage("user", message), following);
        }
    }

    private static void WriteMessage(PromptWriter output, PromptMessage message, bool following)
    {
        output.Write(following ? ",{\"role\":\""u8 : "{\"role\":\""u8);
        output.Write(TextForm.Json, message.Role);
        output.Write("\",\"content\":\""u8);
        output.Write(TextForm.Json, message.Content);
        output.Write("\"}"u8);
    }

    /// <summary>One text for all: here a message stands beside the sections, so it may not pose as one.</summary>
    private void WritePlain(PromptWriter output, string? state, IReadOnlyList<PromptMessage> window, string? message)
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

        var hasFront = WriteFront(output);
        if (rest.Count > 0)
        {
            output.Write(TextForm.Plain, (hasFront ? PromptFront.Joint : "") + string.Join(PromptFront.Joint, rest));
        }
    }
}
