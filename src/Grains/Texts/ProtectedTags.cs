using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace PersonaActors.Grains.Texts;

/// <summary>
/// The tags that give a prompt its shape. Text that comes from users can't close or open one: the bracket of what would
/// read as such a tag is escaped, whatever its letter case, spacing, attributes, invisible or full-width characters. All else
/// (<c>&lt;3</c>, <c>x &gt; 5</c>, <c>&lt;b&gt;</c>) stays as it was written.
/// </summary>
public static class ProtectedTags
{
    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        "character", "name", "info", "traits", "tone", "age", "appearance", "likes", "dislikes", "goals", "examples",
        "user", "pronouns", "about",
        "mindscape", "mindscape_now", "current_state", "time", "focus_session", "memories", "memory", "conversation", "message",
    ]);

    private static readonly int LongestName = Names.Max(name => name.Length);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <param name="fromUsers">The stretches of a tenant's text that came from users; null for a text that is a user's in all its parts.</param>
    public static string Escape(string text, IReadOnlyList<(int Start, int End)>? fromUsers = null)
    {
        StringBuilder? escaped = null;
        var copied = 0;
        for (var at = NextBracket(text, 0); at >= 0; at = NextBracket(text, at + 1))
        {
            var (end, isOurs) = ReadName(text, at);
            if (isOurs && (fromUsers is null || fromUsers.Any(stretch => stretch.Start < end && stretch.End > at)))
            {
                escaped = (escaped ?? new StringBuilder()).Append(text, copied, at - copied).Append("&lt;");
                copied = at + 1;
            }
        }

        return escaped is null ? text : escaped.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Whether what reads as the beginning of a tag goes up to the end of the text, so that what follows could end it.</summary>
    public static bool MayGoOn(string text)
    {
        for (var at = NextBracket(text, 0); at >= 0; at = NextBracket(text, at + 1))
        {
            if (ReadName(text, at).End == text.Length)
            {
                return true;
            }
        }

        return false;
    }

    private static int NextBracket(string text, int from) =>
        text.AsSpan(from).IndexOfAny('<', '\uFF1C', '\uFE64') is >= 0 and var found ? from + found : -1;

    /// <summary>Reads what stands behind a bracket as a lenient reader would, up to the end of the name or where it is too long for ours.</summary>
    private static (int End, bool IsOurs) ReadName(string text, int bracket)
    {
        Span<char> name = stackalloc char[LongestName];
        var length = 0;
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
                return (at, false);
            }

            name[length++] = c;
        }

        return (at, Lookup.Contains(name[..length]));
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

        return c switch
        {
            '-' => '_',
            '\u017F' => 's',
            '\u212A' => 'k',
            _ => char.ToLowerInvariant(c),
        };
    }
}
