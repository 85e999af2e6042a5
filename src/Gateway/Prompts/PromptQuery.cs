using Microsoft.AspNetCore.WebUtilities;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Conversations;

namespace PersonaActors.Gateway.Prompts;

/// <summary>From what a caller writes to a request for a prompt.</summary>
public static class PromptQuery
{
    public const int MaxMessage = 32_000;
    public const int MaxVariables = 50;
    public const int MaxVariable = 4000;
    public const int MaxVariableName = 64;
    public const int MaxName = 200;

    private static readonly string[] OwnNames = ["user", "char", "persona", "time", "date"];

    /// <summary>What a query string says, taken from it in one pass: most have a user and nothing else.</summary>
    /// <param name="Unknown">The first name that means nothing here.</param>
    public record struct Named(string? User, string? Channel, string? FocusMode, string? Mapper, string? Format, string? Explain, string? Unknown)
    {
        public readonly Refusal? Refusal => Unknown is null ? null : NotKnown(Unknown);

        public readonly (PromptRequest? Request, Refusal? Refusal) For(PromptSpeaker speaker, Guid speakerId) =>
            Read(speaker, speakerId, Channel, FocusMode, Mapper, Format, Explain);
    }

    public static Named Parse(QueryString query)
    {
        var named = default(Named);
        foreach (var pair in new QueryStringEnumerable(query.Value))
        {
            var name = pair.DecodeName().Span;
            if (Is(name, "user"))
            {
                named.User = Add(named.User, pair);
            }
            else if (Is(name, "channel"))
            {
                named.Channel = Add(named.Channel, pair);
            }
            else if (Is(name, "focusMode"))
            {
                named.FocusMode = Add(named.FocusMode, pair);
            }
            else if (Is(name, "mapper"))
            {
                named.Mapper = Add(named.Mapper, pair);
            }
            else if (Is(name, "format"))
            {
                named.Format = Add(named.Format, pair);
            }
            else if (Is(name, "explain"))
            {
                named.Explain = Add(named.Explain, pair);
            }
            else
            {
                named.Unknown ??= name.ToString();
            }
        }

        return named;

        static bool Is(ReadOnlySpan<char> name, string known) => name.Equals(known, StringComparison.OrdinalIgnoreCase);

        // Said twice, it is neither of the two.
        static string Add(string? before, QueryStringEnumerable.EncodedNameValuePair pair) =>
            before is null ? pair.DecodeValue().ToString() : $"{before},{pair.DecodeValue()}";
    }

    /// <summary>As for an unknown field of a body: who misspells a name shall not get another prompt than they asked for.</summary>
    public static Refusal NotKnown(string parameter)
    {
        var name = parameter.Length <= MaxVariableName ? parameter : parameter[..MaxVariableName];
        return new Refusal(RefusalKind.Invalid, "unknown_field", $"The query parameter '{name}' is not known here.", name);
    }

    public static (PromptRequest? Request, Refusal? Refusal) Read(
        PromptSpeaker speaker, Guid speakerId, string? channel, string? focusMode, string? mapper, string? format, string? explain)
    {
        PromptFormat? known = format switch
        {
            null or "" or "native" => PromptFormat.Native,
            "openai" => PromptFormat.Openai,
            "anthropic" => PromptFormat.Anthropic,
            "text" => PromptFormat.Text,
            _ => null,
        };
        bool? explained = explain switch
        {
            null or "" or "false" => false,
            "true" => true,
            _ => null,
        };
        Refusal? refusal =
            known is null ? Refusal.Invalid("format", "'format' is native, openai, anthropic or text.")
            : explained is null ? Refusal.Invalid("explain", "'explain' is true or false.")
            : !string.IsNullOrEmpty(channel) && MessageRules.CheckId(channel) is not null
                ? Refusal.Invalid("channel", $"'channel' is the id of a channel: at most {ChannelKey.MaxId} characters on one line.")
            : focusMode?.Length > MaxName ? Refusal.Invalid("focusMode", $"'focusMode' has at most {MaxName} characters.")
            : mapper?.Length > MapperKey.MaxName ? Refusal.Invalid("mapper", $"'mapper' has at most {MapperKey.MaxName} characters.")
            : null;
        return refusal is not null
            ? (null, refusal)
            : (new PromptRequest(speaker, speakerId, NullIfEmpty(channel), NullIfEmpty(focusMode), known!.Value, explained!.Value, NullIfEmpty(mapper)), null);
    }

    public static Refusal? Check(PromptOccasion? occasion)
    {
        if (occasion?.Message is { } message && CheckText("message", message, MaxMessage) is { } bad)
        {
            return bad;
        }

        if (occasion?.Variables is not { } variables)
        {
            return null;
        }

        if (variables.Count > MaxVariables)
        {
            return Refusal.Invalid("variables", $"{variables.Count} variables were given; at most {MaxVariables} are allowed.");
        }

        foreach (var (name, value) in variables)
        {
            var field = $"variables.{(name.Length <= MaxVariableName ? name : name[..MaxVariableName])}";
            if (!IsName(name))
            {
                return Refusal.Invalid(field, $"A variable's name is a letter or '_', then letters, digits, '_' or '-', at most {MaxVariableName}.");
            }

            if (Array.IndexOf(OwnNames, name) >= 0)
            {
                return Refusal.Invalid(field, $"'{name}' is filled by the service; choose another name.");
            }

            if (value is null || CheckText(field, value, MaxVariable) is not null)
            {
                return value is null ? Refusal.Invalid(field, "A variable has a value.") : CheckText(field, value, MaxVariable);
            }
        }

        return null;
    }

    private static Refusal? CheckText(string field, string text, int max)
    {
        if (text.Length > max)
        {
            return Refusal.Invalid(field, $"'{field}' has {text.Length:N0} characters; at most {max:N0} are allowed.");
        }

        return !HasLoneSurrogate(text) ? null : Refusal.Invalid(field, $"'{field}' has a character that is no text.");
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    return true;
                }

                i++;
            }
        }

        return false;
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= MaxVariableName
        && (char.IsAsciiLetter(name[0]) || name[0] == '_')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
