using System.Text.Json;

namespace PersonaActors.Gateway.Http;

/// <summary>Words of our enums in a query string, spelled as in bodies.</summary>
public static class QueryWord
{
    public static (T? Value, Refusal? Refusal) Read<T>(string field, string? text)
        where T : struct, Enum
    {
        if (text is null)
        {
            return (null, null);
        }

        foreach (var value in Enum.GetValues<T>())
        {
            if (Of(value) == text)
            {
                return (value, null);
            }
        }

        return (null, Refusal.Invalid(field, $"'{field}' is one of {string.Join(", ", Wire.WordsOf(typeof(T)))}."));
    }

    public static string Of<T>(T value)
        where T : struct, Enum => JsonSerializer.Serialize(value, Wire.Json).Trim('"');
}
