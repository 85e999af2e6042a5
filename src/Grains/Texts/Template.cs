using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PersonaActors.Grains.Texts;

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

    private readonly string _source = "";
    private readonly Author _author;

    /// <summary>All that stands around the gaps, side by side: who hasn't been asked for long is a walk through memory, not from piece to piece.</summary>
    private readonly byte[] _text;
    private readonly Gap[] _gaps = [];

    /// <summary>A tag may have begun before one of the gaps.</summary>
    private readonly bool _mayGoOn;

    private readonly record struct Gap(int At, string Name, Piece AsWritten);

    public Template(string text, Author author)
    {
        (_source, _author) = (text, author);
        List<byte> all = [];
        List<Gap> gaps = [];
        foreach (var (literal, name, written) in Parts(text))
        {
            var piece = new Piece(literal, author);
            all.AddRange(piece.Utf8);
            if (name is not null)
            {
                gaps.Add(new Gap(all.Count, name, new Piece(written!)));
                _mayGoOn |= piece.MayGoOn;
            }
        }

        (_text, _gaps) = ([.. all], [.. gaps]);
        NeedsTime = Placeholder().Matches(text).Any(placeholder => IsTime(placeholder));
    }

    /// <summary>A text in which placeholders are not looked at.</summary>
    public Template(Piece text) => _text = text.Utf8;

    private Template(Template one, Template next) => (_text, NeedsTime) = ([.. one._text, .. next._text], one.NeedsTime || next.NeedsTime);

    /// <summary>It points to "the time given below".</summary>
    public bool NeedsTime { get; }

    /// <summary>Of what stands around the gaps, encoded.</summary>
    public int Length => _text.Length;

    /// <summary>Of what stands around the gaps: a value is a name, mostly.</summary>
    internal int Tokens => TokenCount.Of(JsonSerializer.Deserialize<string>([(byte)'"', .. _text, (byte)'"'])!) + _gaps.Length;

    /// <summary>What has no gaps is one with its neighbours that have none.</summary>
    public static Template[] Join(IEnumerable<Template> templates)
    {
        List<Template> joined = [];
        foreach (var template in templates)
        {
            if (joined.Count > 0 && joined[^1]._gaps.Length == 0 && template._gaps.Length == 0)
            {
                joined[^1] = new Template(joined[^1], template);
            }
            else
            {
                joined.Add(template);
            }
        }

        return [.. joined];
    }

    public void Write(Utf8Writer output, in PlaceholderValues values)
    {
        var (start, from, mayGoOn) = (output.Length, 0, _mayGoOn);
        foreach (var (at, name, asWritten) in _gaps)
        {
            var value = values.Find(name) ?? asWritten;
            output.Write(_text.AsSpan(from, at - from)).Write(value.Utf8);
            mayGoOn |= value.MayGoOn;
            from = at;
        }

        output.Write(_text.AsSpan(from));
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
        foreach (var (literal, name, written) in Parts(_source))
        {
            text.Append(literal);
            if (name is not null)
            {
                var value = values.Find(name)?.Text ?? written!;
                filled.Add((text.Length, text.Length + value.Length));
                text.Append(value);
            }
        }

        return ProtectedTags.Escape(text.ToString(), _author == Author.Tenant ? filled : null);
    }

    /// <summary>A literal and the placeholder behind it, again and again; the last one has none.</summary>
    private static IEnumerable<(string Literal, string? Name, string? Written)> Parts(string text)
    {
        var (literal, from) = ("", 0);
        foreach (Match placeholder in Placeholder().Matches(text))
        {
            literal += text[from..placeholder.Index];
            from = placeholder.Index + placeholder.Length;
            if (IsTime(placeholder))
            {
                // The front of the prompt may not move with the clock: it points to the current state, which says the time.
                literal += TimeWords;
            }
            else
            {
                yield return (literal, placeholder.Groups["name"].Value, placeholder.Value);
                literal = "";
            }
        }

        yield return (literal + text[from..], null, null);
    }

    private static bool IsTime(Match placeholder) => placeholder.Groups["name"].Value is "time" or "date";

    [GeneratedRegex(@"\{(?<name>user|char)\}|\{\{(?<name>[A-Za-z_][A-Za-z0-9_-]{0,63})\}\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Placeholder();
}
