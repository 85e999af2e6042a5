using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace PersonaActors.Grains.Prompts;

/// <summary>Who wrote a text, which says what of it is escaped.</summary>
public enum Author
{
    /// <summary>May shape its prompt as it likes; only what its placeholders bring in is escaped.</summary>
    Tenant,

    /// <summary>Neither its own text nor what its placeholders bring in makes a section.</summary>
    Anyone,
}

/// <summary>
/// A text in the one form in which prompts are put together: UTF-8 as it stands inside a JSON string, which three formats of
/// four are. To make it so costs more than all the rest of a prompt (5 µs and more for one of usual length), so it is done
/// once for what stays the same.
/// </summary>
public sealed class Piece(string text, Author author = Author.Anyone)
{
    public string Text => text;

    /// <summary>A tag may have begun in it: together with what follows it could become one of ours.</summary>
    public bool MayGoOn { get; } = ProtectedTags.MayGoOn(text);

    internal byte[] Utf8 { get; } = Encode(author == Author.Anyone ? ProtectedTags.Escape(text) : text);

    internal static byte[] Encode(string text) => Encoding.UTF8.GetBytes(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text));
}

/// <summary>What stands for a placeholder. Values are text: nothing they bring in is looked at again.</summary>
public readonly record struct PlaceholderValues(Piece User, Piece Char, Piece Persona, IReadOnlyDictionary<string, Piece>? Variables = null)
{
    internal Piece? Find(string name) => name switch
    {
        "user" => User,
        "char" => Char,
        "persona" => Persona,
        _ => Variables?.GetValueOrDefault(name),
    };
}

/// <summary>
/// A text with <c>{{name}}</c>, <c>{user}</c> and <c>{char}</c> in it, taken apart once. Unknown placeholders stay as they are.
/// What it gives is what filling, then escaping, then encoding the whole gives.
/// </summary>
public sealed partial class Template
{
    public const string TimeWords = "the time given below";

    private readonly Author _author;
    private readonly Cut[] _cuts;

    /// <summary>A literal, and the placeholder behind it, if it isn't the last one.</summary>
    private readonly record struct Cut(Piece Before, string? Name, Piece? AsWritten);

    public Template(string text, Author author)
    {
        _author = author;
        List<Cut> cuts = [];
        var (literal, from) = ("", 0);
        foreach (Match placeholder in Placeholder().Matches(text))
        {
            literal += text[from..placeholder.Index];
            from = placeholder.Index + placeholder.Length;
            if (placeholder.Groups["name"].Value is not ("time" or "date") and var name)
            {
                cuts.Add(new Cut(new Piece(literal, author), name, new Piece(placeholder.Value)));
                literal = "";
                continue;
            }

            // The front of the prompt may not move with the clock: it points to the current state, which says the time.
            literal += TimeWords;
            NeedsTime = true;
        }

        _cuts = [.. cuts, new Cut(new Piece(literal + text[from..], author), null, null)];
    }

    /// <summary>A text in which placeholders are not looked at.</summary>
    public Template(Piece text) => _cuts = [new Cut(text, null, null)];

    /// <summary>It points to "the time given below".</summary>
    public bool NeedsTime { get; }

    public void Write(PromptWriter output, in PlaceholderValues values)
    {
        var start = output.Length;
        var mayGoOn = false;
        foreach (var (before, name, asWritten) in _cuts)
        {
            output.Write(before.Utf8);
            if (name is not null)
            {
                var value = values.Find(name) ?? asWritten!;
                output.Write(value.Utf8);
                mayGoOn |= before.MayGoOn || value.MayGoOn;
            }
        }

        if (mayGoOn)
        {
            output.CutTo(start);
            output.Write(Piece.Encode(FillWhole(values)));
        }
    }

    /// <summary>Where a tag may come of several pieces, they are looked at together.</summary>
    private string FillWhole(in PlaceholderValues values)
    {
        var text = new StringBuilder();
        var filled = new List<(int, int)>();
        foreach (var (before, name, asWritten) in _cuts)
        {
            text.Append(before.Text);
            if (name is not null)
            {
                var value = (values.Find(name) ?? asWritten!).Text;
                filled.Add((text.Length, text.Length + value.Length));
                text.Append(value);
            }
        }

        return ProtectedTags.Escape(text.ToString(), _author == Author.Tenant ? filled : null);
    }

    [GeneratedRegex(@"\{(?<name>user|char)\}|\{\{(?<name>[A-Za-z_][A-Za-z0-9_-]{0,63})\}\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Placeholder();
}
