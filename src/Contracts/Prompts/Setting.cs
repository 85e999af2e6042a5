using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Prompts;

public enum SettingState
{
    /// <summary>The tier says nothing: the next further one is asked.</summary>
    Inherit,

    /// <summary>The tier says "not at all", which ends the search.</summary>
    Off,

    Value,
}

/// <summary>
/// One behaviour setting of one tier. On the wire an inherited one is absent, off is <c>"off"</c>; in a PATCH, null clears.
/// A switch that is off is false. Stored, off is null (<see cref="SettingsTier.ToStored"/>).
/// </summary>
[GenerateSerializer, Immutable, Alias("setting`1")]
[JsonConverter(typeof(SettingConverterFactory))]
public readonly record struct Setting<T>([property: Id(0)] SettingState State, [property: Id(1)] T Value)
    where T : struct
{
    public static readonly Setting<T> Inherit;

    public static readonly Setting<T> Off = new(SettingState.Off, default);

    public static Setting<T> Of(T value) => new(SettingState.Value, value);

    [JsonIgnore]
    public bool IsSet => State != SettingState.Inherit;
}

public sealed class SettingConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Setting<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(SettingConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class SettingConverter<T> : JsonConverter<Setting<T>>
        where T : struct
    {
        public override bool HandleNull => true;

        public override Setting<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.Null => Setting<T>.Inherit,
            JsonTokenType.String when reader.ValueTextEquals("off"u8) => typeof(T) == typeof(bool) ? Setting<T>.Of(default) : Setting<T>.Off,
            _ => Setting<T>.Of(NestedJson.Read<T>(ref reader, options)),
        };

        public override void Write(Utf8JsonWriter writer, Setting<T> value, JsonSerializerOptions options)
        {
            switch (value.State)
            {
                case SettingState.Inherit:
                    writer.WriteNullValue();
                    break;
                case SettingState.Off:
                    writer.WriteStringValue("off"u8);
                    break;
                default:
                    JsonSerializer.Serialize(writer, value.Value, options);
                    break;
            }
        }
    }
}
