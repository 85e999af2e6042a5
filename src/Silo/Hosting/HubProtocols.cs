using System.Buffers;
using System.Reflection;
using System.Text.Json;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;
using PersonaActors.Gateway.Realtime;

namespace PersonaActors.Silo.Hosting;

/// <summary>
/// The hub speaks MessagePack beside JSON. Our types look the same in both: their shape is what the JSON options make of
/// them (names, dates and ids as text, what is absent left out), and `data` is a map. So a client changes the protocol and
/// nothing else.
/// </summary>
public static class HubProtocols
{
    public static void Add(IServiceCollection services) => services.AddSignalR().AddMessagePackProtocol(protocol => protocol.SerializerOptions = Options);

    /// <summary>Clients are not trusted: their maps can't be made to collide, their nesting is bounded.</summary>
    public static MessagePackSerializerOptions Options { get; } = MessagePackSerializerOptions.Standard
        .WithResolver(CompositeResolver.Create(new WireResolver(), StandardResolver.Instance))
        .WithSecurity(MessagePackSecurity.UntrustedData);

    /// <summary>Formats the types of our contracts and of the hub; what they come in (arrays, text, numbers) is MessagePack's own.</summary>
    private sealed class WireResolver : IFormatterResolver
    {
        private static readonly Assembly[] Ours = [typeof(JsonText).Assembly, typeof(StreamAnswer).Assembly];

        public IMessagePackFormatter<T>? GetFormatter<T>() => Cache<T>.Formatter;

        private static class Cache<T>
        {
            public static readonly IMessagePackFormatter<T>? Formatter = !typeof(T).IsArray && Ours.Contains(typeof(T).Assembly) ? new WireFormatter<T>() : null;
        }
    }

    private sealed class WireFormatter<T> : IMessagePackFormatter<T>
    {
        public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options)
        {
            using var json = JsonSerializer.SerializeToDocument(value, Wire.Json);
            Write(ref writer, json.RootElement);
        }

        public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
        {
            var text = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(text))
            {
                Read(ref reader, json, options);
            }

            return JsonSerializer.Deserialize<T>(text.WrittenSpan, Wire.Json)!;
        }
    }

    private static void Write(ref MessagePackWriter writer, JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteMapHeader(json.GetPropertyCount());
                foreach (var member in json.EnumerateObject())
                {
                    writer.Write(member.Name);
                    Write(ref writer, member.Value);
                }

                break;
            case JsonValueKind.Array:
                writer.WriteArrayHeader(json.GetArrayLength());
                foreach (var item in json.EnumerateArray())
                {
                    Write(ref writer, item);
                }

                break;
            case JsonValueKind.String:
                writer.Write(json.GetString());
                break;
            case JsonValueKind.Number when json.TryGetInt64(out var integer):
                writer.Write(integer);
                break;
            case JsonValueKind.Number when json.TryGetUInt64(out var large):
                writer.Write(large);
                break;
            case JsonValueKind.Number:
                writer.Write(json.GetDouble());
                break;
            case JsonValueKind.True or JsonValueKind.False:
                writer.Write(json.GetBoolean());
                break;
            default:
                writer.WriteNil();
                break;
        }
    }

    private static void Read(ref MessagePackReader reader, Utf8JsonWriter json, MessagePackSerializerOptions options)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Map:
                options.Security.DepthStep(ref reader);
                json.WriteStartObject();
                for (var members = reader.ReadMapHeader(); members > 0; members--)
                {
                    json.WritePropertyName(reader.ReadString() ?? throw new MessagePackSerializationException("A member of a map has no name."));
                    Read(ref reader, json, options);
                }

                json.WriteEndObject();
                reader.Depth--;
                break;
            case MessagePackType.Array:
                options.Security.DepthStep(ref reader);
                json.WriteStartArray();
                for (var items = reader.ReadArrayHeader(); items > 0; items--)
                {
                    Read(ref reader, json, options);
                }

                json.WriteEndArray();
                reader.Depth--;
                break;
            case MessagePackType.String:
                json.WriteStringValue(reader.ReadString());
                break;
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                json.WriteNumberValue(reader.ReadUInt64());
                break;
            case MessagePackType.Integer:
                json.WriteNumberValue(reader.ReadInt64());
                break;
            case MessagePackType.Float:
                json.WriteNumberValue(reader.ReadDouble());
                break;
            case MessagePackType.Boolean:
                json.WriteBooleanValue(reader.ReadBoolean());
                break;
            case MessagePackType.Nil:
                reader.ReadNil();
                json.WriteNullValue();
                break;
            case var type:
                throw new MessagePackSerializationException($"There is no {type} in what this hub takes.");
        }
    }
}
