using System.Text.Json;

namespace PersonaActors.Contracts;

/// <summary>
/// For converters that hand a part of the body on to the serializer: its complaint names the place from that part on, and a
/// path that is set isn't completed. So the complaint carries the inner path beside its own, and <see cref="PathOf"/> joins the two.
/// </summary>
public static class NestedJson
{
    public static T? Read<T>(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(ref reader, options);
        }
        catch (JsonException e)
        {
            throw new Complaint(e, PathOf(e) is { Length: > 1 } path ? path[1..] : "");
        }
    }

    public static string? PathOf(JsonException e) => e.Path is { } path ? path + (e as Complaint)?.Inner : null;

    private sealed class Complaint(JsonException of, string inner) : JsonException(of.Message, of.InnerException)
    {
        public string Inner => inner;
    }
}
