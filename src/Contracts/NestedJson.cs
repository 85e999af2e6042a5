using System.Text.Json;

namespace PersonaActors.Contracts;

/// <summary>
/// For converters that hand a part of the body on to the serializer: its complaint names the place from that part on, and a
/// path that is set isn't completed. So the inner path is put aside, and <see cref="PathOf"/> joins the two.
/// </summary>
public static class NestedJson
{
    private const string InnerPath = "inner path";

    public static T? Read<T>(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(ref reader, options);
        }
        catch (JsonException e)
        {
            var inner = PathOf(e) is { Length: > 1 } path ? path[1..] : "";
            throw new JsonException(e.Message, e.InnerException) { Data = { [InnerPath] = inner } };
        }
    }

    public static string? PathOf(JsonException e) => e.Path is { } path ? path + (e.Data[InnerPath] as string) : null;
}
