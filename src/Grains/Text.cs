using PersonaActors.Contracts;

namespace PersonaActors.Grains;

/// <summary>What every text that comes in must satisfy: a length, and something PostgreSQL can hold.</summary>
public static class Text
{
    public static Refusal? CheckRequired(string field, string? value, int maxLength) =>
        string.IsNullOrWhiteSpace(value)
            ? Refusal.Invalid(field, $"'{field}' is required and may not be blank.")
            : CheckOptional(field, value, maxLength);

    public static Refusal? CheckOptional(string field, string? value, int maxLength)
    {
        if (value is null)
        {
            return null;
        }

        if (value.Length > maxLength)
        {
            return Refusal.Invalid(field, $"'{field}' has {value.Length:N0} characters; at most {maxLength:N0} are allowed.");
        }

        // PostgreSQL's text has no NUL, and a lone surrogate is no UTF-8.
        return value.Contains('\0') || HasLoneSurrogate(value) ? Refusal.Invalid(field, $"'{field}' has a character that is no text.") : null;
    }

    public static string Shorten(string value) => value.Length <= 60 ? value : string.Concat(value.AsSpan(0, 57), "...");

    private static bool HasLoneSurrogate(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (char.IsSurrogate(value[i]))
            {
                if (i + 1 >= value.Length || !char.IsSurrogatePair(value[i], value[i + 1]))
                {
                    return true;
                }

                i++;
            }
        }

        return false;
    }
}
