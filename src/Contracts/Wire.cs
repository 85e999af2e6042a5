using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace PersonaActors.Contracts;

/// <summary>How our JSON looks wherever it leaves or is stored: one set of options, so that a stored answer and a fresh one are the same bytes.</summary>
public static class Wire
{
    public static readonly JsonSerializerOptions Json = Make(JsonUnmappedMemberHandling.Skip);

    /// <summary>For bodies of the native surface: a field nobody knows is refused with its name instead of being lost.</summary>
    public static readonly JsonSerializerOptions Strict = Make(JsonUnmappedMemberHandling.Disallow);

    /// <summary>The words of an enum, as they are read and written.</summary>
    public static IEnumerable<string> WordsOf(Type type) => Enum.GetValuesAsUnderlyingType(type).Cast<object>()
        .Select(value => JsonSerializer.Serialize(Enum.ToObject(type, value), type, Json).Trim('"'));

    private static JsonSerializerOptions Make(JsonUnmappedMemberHandling unmapped)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            UnmappedMemberHandling = unmapped,
            NumberHandling = JsonNumberHandling.Strict,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
            MaxDepth = 32,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutKeptFields } },
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
        options.Converters.Add(new PatchConverterFactory());
        options.Converters.Add(new FiniteConverter());
        options.MakeReadOnly();
        return options;
    }

    /// <summary>A number that is too large to be one (1e400) is read as infinity by the stock one, and infinity can't be written again.</summary>
    private sealed class FiniteConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw new JsonException();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    // A patch written again (for the fingerprint of a command) must say "keep" by leaving the field out, as it was read.
    private static void LeaveOutKeptFields(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(Patch<>))
            {
                property.ShouldSerialize = static (_, value) => value is IPatch { IsSet: true };
            }
        }
    }
}
