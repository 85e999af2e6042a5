using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// The tags that give a prompt its shape. Text that comes from users can't close or open one: the bracket of what would
/// read as such a tag is escaped, whatever its letter case, spacing, attributes, invisible or full-width characters. All else
/// (<c>&lt;3</c>, <c>x &gt; 5</c>, <c>&lt;b&gt;</c>) stays as it was written.
/// </summary>
public static class ProtectedTags
{
    public static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        "character", "name", "info", "traits", "tone", "age", "appearance", "likes", "dislikes", "goals", "examples",
        "user", "pronouns", "about",
        "mindscape", "current_state", "time", "focus_session", "memories", "memory", "conversation", "message",
    ]);

    private static readonly int LongestName = Names.Max(name => name.Length);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>For a text that is a user's in all its parts.</summary>
    public static string Escape(string text) => Escape(text, null);

    /// <summary>For a text of the tenant with users' values in it: what the tenant wrote itself stays.</summary>
    /// <param name="fromUsers">The stretches that came from users, in order; null for all of it.</param>
    public static string Escape(string text, IReadOnlyList<(int Start, int End)>? fromUsers)
    {
        if (fromUsers is { Count: 0 })
        {
            return text;
        }

        StringBuilder? escaped = null;
        var copied = 0;
        for (var at = NextBracket(text, 0); at >= 0; at = NextBracket(text, at + 1))
        {
            if (EndOfTag(text, at) is not { } end || (fromUsers is not null && !Touches(fromUsers, at, end)))
            {
                continue;
            }

            escaped ??= new StringBuilder(text.Length + 16);
            escaped.Append(text, copied, at - copied).Append("&lt;");
            copied = at + 1;
        }

        return escaped is null ? text : escaped.Append(text, copied, text.Length - copied).ToString();
    }

    public static bool HasBracket(string text) => NextBracket(text, 0) >= 0;

    /// <summary>Whether what reads as the beginning of a tag goes up to the end of the text, so that what follows could end it.</summary>
    public static bool MayGoOn(string text)
    {
        Span<char> name = stackalloc char[LongestName];
        for (var at = NextBracket(text, 0); at >= 0; at = NextBracket(text, at + 1))
        {
            if (ReadName(text, at, name, out _) == text.Length)
            {
                return true;
            }
        }

        return false;
    }

    private static int NextBracket(string text, int from)
    {
        var found = text.AsSpan(from).IndexOfAny('<', '\uFF1C', '\uFE64');
        return found < 0 ? -1 : from + found;
    }

    /// <summary>Where the name of a protected tag that opens or closes at the bracket ends, or null if none does.</summary>
    private static int? EndOfTag(string text, int bracket)
    {
        Span<char> name = stackalloc char[LongestName];
        return ReadName(text, bracket, name, out var length) is { } end && Lookup.Contains(name[..length]) ? end : null;
    }

    /// <summary>Reads what stands behind a bracket as a lenient reader would; null if it is longer than any name of ours.</summary>
    /// <returns>Where the name ends.</returns>
    private static int? ReadName(string text, int bracket, Span<char> name, out int length)
    {
        length = 0;
        var at = bracket + 1;
        for (; at < text.Length; at++)
        {
            var c = Fold(text[at]);
            if (char.IsHighSurrogate(c) && CharUnicodeInfo.GetUnicodeCategory(text, at) == UnicodeCategory.Format)
            {
                at++;
                continue;
            }

            if (IsInvisible(c) || (length == 0 && (char.IsWhiteSpace(c) || c is '/' or '\\')))
            {
                continue;
            }

            if (!char.IsLetterOrDigit(c) && c is not '_')
            {
                break;
            }

            if (length == name.Length)
            {
                return null;
            }

            name[length++] = c;
        }

        return at;
    }

    private static bool Touches(IReadOnlyList<(int Start, int End)> spans, int start, int end)
    {
        foreach (var span in spans)
        {
            if (span.Start < end && span.End > start)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsInvisible(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
        || (char.IsControl(c) && !char.IsWhiteSpace(c));

    /// <summary>As a lenient reader would take the letter: full-width forms, upper case and look-alikes that fold to ASCII.</summary>
    private static char Fold(char c)
    {
        if (c is >= '\uFF01' and <= '\uFF5E')
        {
            c = (char)(c - '\uFF01' + '!');
        }

        if (c == '-')
        {
            return '_';
        }

        return char.ToLowerInvariant(c == '\u017F' ? 's' : c == '\u212A' ? 'k' : c);
    }
}
