using System.Runtime.CompilerServices;
using System.Text;

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
/// A text with placeholders, taken apart once, for all prompts it stands in: between its gaps it is ready to be copied. What
/// it gives is what <see cref="Placeholders.Fill"/> and then <see cref="ProtectedTags.Escape(string)"/> give; where a
/// value could make a tag together with what surrounds it, or where a request brings variables, these are asked.
/// </summary>
public sealed class Template
{
    private static readonly ConditionalWeakTable<string, Template> OfTenants = [];

    /// <summary>A longer text isn't worth a copy for each name that may stand in it.</summary>
    private const int MostNamed = 8192;

    private static readonly Piece TimeWords = new(PlaceholderValues.TimeWords);

    private readonly string _text;
    private readonly Author _author;
    private readonly Piece[] _pieces;

    /// <summary>What stands between one piece and the next.</summary>
    private readonly Gap[] _gaps;

    /// <summary>A tag may have begun before a gap: what fills it says whether it is one of ours.</summary>
    private readonly bool _isOpen;

    private enum Gap
    {
        User,
        Char,
        Persona,
        Time,
    }

    public Template(string text, Author author)
    {
        _text = text;
        _author = author;
        NeedsTime = PointsToTime(text);
        List<Piece> pieces = [];
        List<Gap> gaps = [];
        var isOpen = false;
        var from = 0;
        for (var at = text.IndexOf('{', StringComparison.Ordinal); at >= 0; at = at < text.Length ? text.IndexOf('{', at) : -1)
        {
            if (Match(text.AsSpan(at)) is not ({ } gap, var length))
            {
                at++;
                continue;
            }

            Add(text[from..at], isLast: false);
            gaps.Add(gap);
            at += length;
            from = at;
        }

        Add(text[from..], isLast: true);
        _pieces = [.. pieces];
        _gaps = [.. gaps];
        _isOpen = isOpen;

        void Add(string piece, bool isLast)
        {
            isOpen |= !isLast && ProtectedTags.MayGoOn(piece);
            pieces.Add(new Piece(author == Author.Tenant ? piece : ProtectedTags.Escape(piece)));
        }
    }

    private Template(Template of, Piece[] pieces, Gap[] gaps)
    {
        (_text, _author, NeedsTime) = (of._text, of._author, of.NeedsTime);
        (_pieces, _gaps) = (pieces, gaps);
    }

    /// <summary>It points to "the time given below".</summary>
    public bool NeedsTime { get; }

    public bool IsConstant => _gaps.Length == 0;

    /// <summary>The same text is the same object as long as its entity doesn't change.</summary>
    public static Template OfTenant(string text) => OfTenants.GetValue(text, static text => new Template(text, Author.Tenant));

    public static bool PointsToTime(string text) =>
        text.Contains("{{time}}", StringComparison.Ordinal) || text.Contains("{{date}}", StringComparison.Ordinal);

    /// <summary>The same for one character, whose name is filled in already where it can't make a tag.</summary>
    public Template Naming(Piece name)
    {
        if (_isOpen || name.HasBracket || _text.Length > MostNamed || !Array.Exists(_gaps, gap => gap == Gap.Char))
        {
            return this;
        }

        List<Piece> pieces = [];
        List<Gap> gaps = [];
        var piece = new StringBuilder(_pieces[0].Text);
        for (var i = 0; i < _gaps.Length; i++)
        {
            if (_gaps[i] == Gap.Char)
            {
                piece.Append(name.Text).Append(_pieces[i + 1].Text);
                continue;
            }

            pieces.Add(new Piece(piece.ToString()));
            gaps.Add(_gaps[i]);
            piece.Clear().Append(_pieces[i + 1].Text);
        }

        return new Template(this, [.. pieces, new Piece(piece.ToString())], [.. gaps]);
    }

    /// <param name="values">Whose <see cref="PlaceholderValues.Char"/> is the name that was filled in already, if one was.</param>
    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        if (!IsConstant && MayMakeTags(values) || values.Variables is not null)
        {
            var filled = Placeholders.Fill(_text, values);
            output.Write(form, _author == Author.Tenant ? ProtectedTags.Escape(filled.Text, filled.FromValues) : ProtectedTags.Escape(filled.Text));
            return;
        }

        output.Share(_pieces[0].In(form));
        for (var i = 0; i < _gaps.Length; i++)
        {
            output.Share(Value(_gaps[i], values).In(form));
            output.Share(_pieces[i + 1].In(form));
        }
    }

    private bool MayMakeTags(in PlaceholderValues values)
    {
        if (_isOpen)
        {
            return true;
        }

        foreach (var gap in _gaps)
        {
            if (Value(gap, values).HasBracket)
            {
                return true;
            }
        }

        return false;
    }

    private static Piece Value(Gap gap, in PlaceholderValues values) => gap switch
    {
        Gap.User => values.User,
        Gap.Char => values.Char,
        Gap.Persona => values.Persona,
        _ => TimeWords,
    };

    private static (Gap? Gap, int Length) Match(ReadOnlySpan<char> text) =>
        text.StartsWith("{user}") ? ((Gap?)Gap.User, 6)
        : text.StartsWith("{char}") ? (Gap.Char, 6)
        : text.StartsWith("{{user}}") ? (Gap.User, 8)
        : text.StartsWith("{{char}}") ? (Gap.Char, 8)
        : text.StartsWith("{{persona}}") ? (Gap.Persona, 11)
        : text.StartsWith("{{time}}") || text.StartsWith("{{date}}") ? (Gap.Time, 8)
        : (null, 0);
}
