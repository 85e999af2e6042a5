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
/// A text with placeholders, taken apart once, for all prompts it stands in. What it gives is what
/// <see cref="Placeholders.Fill"/> and then <see cref="ProtectedTags.Escape(string)"/> give; these are asked themselves where
/// it needs care.
/// </summary>
public sealed class Template : GappedText
{
    private static readonly ConditionalWeakTable<string, Template> OfTenants = [];

    private readonly string _text;
    private readonly Author _author;
    private readonly string[] _pieces;

    /// <summary>What stands between one piece and the next.</summary>
    private readonly Gap[] _gaps;

    public Template(string text, Author author)
    {
        _text = text;
        _author = author;
        NeedsTime = PointsToTime(text);
        List<string> pieces = [];
        List<Gap> gaps = [];
        var piece = new StringBuilder();
        var from = 0;
        for (var at = text.IndexOf('{', StringComparison.Ordinal); at >= 0; at = at < text.Length ? text.IndexOf('{', at) : -1)
        {
            if (Match(text.AsSpan(at)) is not ({ } gap, var length))
            {
                at++;
                continue;
            }

            piece.Append(text, from, at - from);
            at += length;
            from = at;
            if (gap == Gap.None)
            {
                piece.Append(PlaceholderValues.TimeWords);
                continue;
            }

            // A tag may have begun: what fills the gap says whether it is one of ours.
            Gaps |= ProtectedTags.MayGoOn(piece.ToString()) ? gap | Gap.Care : gap;
            gaps.Add(gap);
            Add();
        }

        piece.Append(text, from, text.Length - from);
        Add();
        _pieces = [.. pieces];
        _gaps = [.. gaps];

        void Add()
        {
            pieces.Add(author == Author.Tenant ? piece.ToString() : ProtectedTags.Escape(piece.ToString()));
            piece.Clear();
        }
    }

    private Template(Template of, string[] pieces, Gap[] gaps)
    {
        (_text, _author, NeedsTime) = (of._text, of._author, of.NeedsTime);
        (_pieces, _gaps, Gaps) = (pieces, gaps, of.Gaps & ~Gap.Char);
    }

    /// <summary>It points to "the time given below".</summary>
    public bool NeedsTime { get; }

    /// <summary>Something of it shows whatever its gaps are filled with.</summary>
    public bool HasText => Array.Exists(_pieces, piece => piece.Length > 0);

    public int Length => _text.Length;

    internal override Gap Gaps { get; }

    /// <summary>The same text is the same object as long as its entity doesn't change.</summary>
    public static Template OfTenant(string text) => OfTenants.GetValue(text, static text => new Template(text, Author.Tenant));

    public static bool PointsToTime(string text) =>
        text.Contains("{{time}}", StringComparison.Ordinal) || text.Contains("{{date}}", StringComparison.Ordinal);

    /// <summary>The same for one character, whose name is filled in already where it can't make a tag.</summary>
    public Template Naming(Piece name)
    {
        if ((Gaps & (Gap.Char | Gap.Care)) != Gap.Char || name.HasBracket || Length > MostCopied)
        {
            return this;
        }

        List<string> pieces = [];
        List<Gap> gaps = [];
        var piece = new StringBuilder(_pieces[0]);
        for (var i = 0; i < _gaps.Length; i++)
        {
            if (_gaps[i] == Gap.Char)
            {
                piece.Append(name.Text).Append(_pieces[i + 1]);
                continue;
            }

            pieces.Add(piece.ToString());
            gaps.Add(_gaps[i]);
            piece.Clear().Append(_pieces[i + 1]);
        }

        return new Template(this, [.. pieces, piece.ToString()], [.. gaps]);
    }

    internal override void AddTo(StencilBuilder stencil)
    {
        stencil.Add(_pieces[0]);
        for (var i = 0; i < _gaps.Length; i++)
        {
            stencil.Add(_gaps[i]);
            stencil.Add(_pieces[i + 1]);
        }
    }

    internal override void Fill(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        var filled = Placeholders.Fill(_text, values);
        output.Write(form, _author == Author.Tenant ? ProtectedTags.Escape(filled.Text, filled.FromValues) : ProtectedTags.Escape(filled.Text));
    }

    /// <summary>No gap where the words for the time come.</summary>
    private static (Gap? Gap, int Length) Match(ReadOnlySpan<char> text) =>
        text.StartsWith("{user}") ? ((Gap?)Gap.User, 6)
        : text.StartsWith("{char}") ? (Gap.Char, 6)
        : text.StartsWith("{{user}}") ? (Gap.User, 8)
        : text.StartsWith("{{char}}") ? (Gap.Char, 8)
        : text.StartsWith("{{persona}}") ? (Gap.Persona, 11)
        : text.StartsWith("{{time}}") || text.StartsWith("{{date}}") ? (Gap.None, 8)
        : (null, 0);
}
