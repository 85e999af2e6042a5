using System.Text;

namespace PersonaActors.Grains.Prompts;

/// <summary>What stands for a placeholder. Values are text: nothing they bring in is looked at again.</summary>
public readonly record struct PlaceholderValues(Piece User, Piece Char, Piece Persona, IReadOnlyDictionary<string, string>? Variables = null)
{
    /// <summary>Names of our own, which a request's variables can't take.</summary>
    public static readonly IReadOnlyList<string> Reserved = ["user", "char", "persona", "time", "date"];

    public const string TimeWords = "the time given below";

    internal Piece Of(Gap gap) => gap switch
    {
        Gap.User => User,
        Gap.Char => Char,
        _ => Persona,
    };

    public string? Find(ReadOnlySpan<char> name) => name switch
    {
        "user" => User.Text,
        "char" => Char.Text,
        "persona" => Persona.Text,
        // The front of the prompt may not move with the clock: it points to the current state, which says the time.
        "time" or "date" => TimeWords,
        _ => Variables is not null && Variables.TryGetValue(name.ToString(), out var value) ? value : null,
    };
}

/// <summary>A text whose placeholders were filled, and which stretches of it came from values.</summary>
public readonly record struct FilledText(string Text, IReadOnlyList<(int Start, int End)> FromValues);

/// <summary>Fills <c>{{name}}</c>, <c>{user}</c> and <c>{char}</c> in one pass. Unknown ones stay as they are.</summary>
public static class Placeholders
{
    public const int MaxName = 64;

    public static FilledText Fill(string template, in PlaceholderValues values)
    {
        var at = template.IndexOf('{');
        if (at < 0)
        {
            return new FilledText(template, []);
        }

        var text = new StringBuilder(template.Length + 64);
        var spans = new List<(int, int)>();
        var copied = 0;
        while (at >= 0)
        {
            var (value, length) = Match(template.AsSpan(at), values);
            if (value is null)
            {
                at = template.IndexOf('{', at + 1);
                continue;
            }

            text.Append(template, copied, at - copied);
            if (ReferenceEquals(value, PlaceholderValues.TimeWords))
            {
                text.Append(value);
            }
            else
            {
                spans.Add((text.Length, text.Length + value.Length));
                text.Append(value);
            }

            at += length;
            copied = at;
            at = at < template.Length ? template.IndexOf('{', at) : -1;
        }

        return new FilledText(text.Append(template, copied, template.Length - copied).ToString(), spans);
    }

    public static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxName || !(char.IsAsciiLetter(name[0]) || name[0] == '_'))
        {
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                return false;
            }
        }

        return true;
    }

    private static (string? Value, int Length) Match(ReadOnlySpan<char> text, in PlaceholderValues values)
    {
        if (text.StartsWith("{user}"))
        {
            return (values.User.Text, 6);
        }

        if (text.StartsWith("{char}"))
        {
            return (values.Char.Text, 6);
        }

        if (!text.StartsWith("{{"))
        {
            return default;
        }

        var rest = text[2..Math.Min(text.Length, MaxName + 4)];
        var end = rest.IndexOf("}}");
        return end > 0 && IsName(rest[..end]) && values.Find(rest[..end]) is { } value ? (value, end + 4) : default;
    }
}
