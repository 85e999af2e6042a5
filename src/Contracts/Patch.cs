using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts;

/// <summary>A field of a PATCH: absent keeps, null clears, a value sets.</summary>
[GenerateSerializer, Immutable, Alias("patch`1")]
public readonly record struct Patch<T>([property: Id(0)] bool IsSet, [property: Id(1)] T? Value) : IPatch
{
    public static Patch<T> Keep => default;

    public static Patch<T> Set(T? value) => new(true, value);

    public T? Over(T? current) => IsSet ? Value : current;
}

/// <summary>A property of type Patch that is missing from the body stays at its default, which is Keep.</summary>
public sealed class PatchConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Patch<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(PatchConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class PatchConverter<T> : JsonConverter<Patch<T>>
    {
        public override bool HandleNull => true;

        public override Patch<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Null
                ? new Patch<T>(true, default)
                : new Patch<T>(true, NestedJson.Read<T>(ref reader, options));

        public override void Write(Utf8JsonWriter writer, Patch<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.Value, options);
    }
}

internal interface IPatch
{
    bool IsSet { get; }
}
