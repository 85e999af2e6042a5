using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts;

/// <summary>Free-form JSON as text: serializers of grains carry no JsonElement, and nobody between client and table needs to look inside.</summary>
[GenerateSerializer, Immutable, Alias("json-text")]
[JsonConverter(typeof(JsonTextConverter))]
public sealed record JsonText([property: Id(0)] string Json)
{
    public static readonly JsonText EmptyObject = new("{}");

    public static JsonText From<T>(T value) => new(JsonSerializer.Serialize(value, Wire.Json));

    public T Read<T>() => JsonSerializer.Deserialize<T>(Json, Wire.Json)!;

    public override string ToString() => Json;
}

public sealed class JsonTextConverter : JsonConverter<JsonText>
{
    /// <summary>A limit counts the characters that somebody wrote, not the escapes of those that aren't ASCII.</summary>
    private static readonly JsonSerializerOptions AsWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return new JsonText(JsonSerializer.Serialize(document.RootElement, AsWritten));
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Json, skipInputValidation: true);
}
