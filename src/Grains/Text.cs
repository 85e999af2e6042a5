using System.Text.Json;

namespace PersonaActors.Grains;

/// <summary>What every text that comes in must satisfy: a length, and something PostgreSQL can hold.</summary>
public static class Text
{
    internal static readonly JsonDocumentOptions OneOfEachName = new() { AllowDuplicateProperties = false };

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

    /// <summary>As <see cref="CheckOptional"/>, of a text that differs from the known one: what was imported longer is kept.</summary>
    public static Refusal? CheckChanged(string field, string? value, string? known, int maxLength) =>
        value == known ? null : CheckOptional(field, value, maxLength);

    /// <summary>Free JSON that is kept for the client: of the right kind, and not a way to store without limit.</summary>
    public static Refusal? CheckJson(string field, JsonText? value, JsonText? known, JsonValueKind kind, int maxLength)
    {
        if (value is null || value == known)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(value.Json, OneOfEachName);
            if (document.RootElement.ValueKind != kind)
            {
                return Refusal.Invalid(field, $"'{field}' is a JSON {kind.ToString().ToLowerInvariant()}.");
            }
        }
        catch (JsonException)
        {
            // It came in as JSON, so that's all that can be wrong with it.
            return Refusal.Invalid(field, $"'{field}' has a name twice in one object.");
        }

        return value.Json.Length > maxLength
            ? Refusal.Invalid(field, $"'{field}' has {value.Json.Length:N0} characters of JSON; at most {maxLength:N0} are allowed.")
            : CheckOptional(field, value.Json, maxLength) ?? (value.Json.Contains("\\u0000", StringComparison.Ordinal) ? Refusal.Invalid(field, $"'{field}' has a character that is no text.") : null);
    }

    public static Refusal? CheckUrl(string field, string? value, string? known, int maxLength) =>
        value is null || value == known
            ? null
            : CheckOptional(field, value, maxLength)
              ?? (Uri.TryCreate(value, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
                  ? null
                  : Refusal.Invalid(field, $"'{Shorten(value)}' is no http(s) address."));

    public static Refusal? CheckRange(string field, double? value, double min, double max) =>
        value is { } number && !(number >= min && number <= max)
            ? Refusal.Invalid(field, $"'{field}' is {number}; it goes from {min} to {max}.")
            : null;

    public static Refusal? CheckAtLeast(string field, long? value, long min) =>
        value < min ? Refusal.Invalid(field, $"'{field}' is {value}; it is at least {min}.") : null;

    public static string Shorten(string value) => value.Length <= 60 ? value : string.Concat(value.AsSpan(0, 57), "...");

    /// <summary>So many characters of it, and that there are more.</summary>
    public static string Excerpt(string value, int length) => value.Length <= length ? value : $"{value[..length]}...";

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
