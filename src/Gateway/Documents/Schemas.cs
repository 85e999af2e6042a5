using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.OpenApi;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Documents;

/// <summary>
/// From our types to the schemas of the document. The stock generator takes what has a converter of ours for anything, and every
/// member of a record for required; here a field of a PATCH may be absent, a setting may be off, and a list has elements.
/// </summary>
internal sealed class Schemas(OpenApiDocument document, JsonSerializerOptions json, string prefix = "")
{
    /// <summary>Of a document those made here, to be put in place of the stock ones of the same names.</summary>
    private static readonly ConditionalWeakTable<OpenApiDocument, Dictionary<string, (Type Of, IOpenApiSchema Schema)>> Made = [];

    public static Dictionary<string, IOpenApiSchema> Of(OpenApiDocument document) => Made.GetOrCreateValue(document).ToDictionary(made => made.Key, made => made.Value.Schema);

    /// <summary>One that stands for no type of ours.</summary>
    public IOpenApiSchema Named(string name, Func<OpenApiSchema> make) => Component(name, typeof(void), make);

    /// <summary>What may be an answer to a write too: the thing, and where its stream stood.</summary>
    public IOpenApiSchema WithCursor(Type type) => Component($"{prefix}{Name(type)}WithCursor", type, () =>
    {
        var schema = Object(type);
        schema.Properties!["cursor"] = Of(typeof(StreamCursor));
        return schema;
    });

    public bool HasVersion(Type type) => type.GetCustomAttribute<ExtendsAttribute>() is { } extends
        ? HasVersion(extends.Type)
        : json.GetTypeInfo(type) is { Kind: JsonTypeInfoKind.Object } info && info.Properties.Any(property => property.Name == "version");

    public IOpenApiSchema Of(Type type) => type switch
    {
        _ when Nullable.GetUnderlyingType(type) is { } underlying => OrNull(Of(underlying)),
        _ when IsA(type, typeof(Patch<>), out var patched) => OrNull(Of(patched)),
        _ when IsA(type, typeof(Setting<>), out var setting) => new OpenApiSchema
        {
            AnyOf = [Of(setting), new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["off"] }],
        },
        _ when type.GetCustomAttribute<AnyOfAttribute>() is { } any => new OpenApiSchema { AnyOf = [.. any.Types.Select(Of)] },
        { IsEnum: true } => new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. Wire.WordsOf(type).Select(word => JsonValue.Create(word))] },
        _ when type == typeof(string) => new OpenApiSchema { Type = JsonSchemaType.String },
        _ when type == typeof(bool) => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        _ when type == typeof(int) => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
        _ when type == typeof(long) => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
        _ when type == typeof(double) => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" },
        _ when type == typeof(decimal) => new OpenApiSchema { Type = JsonSchemaType.Number },
        _ when type == typeof(Guid) => new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
        _ when type == typeof(DateTimeOffset) => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        _ when type == typeof(DateOnly) => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" },
        _ when type == typeof(JsonText) || type == typeof(JsonNode) || type == typeof(object) => new OpenApiSchema(),
        _ when type == typeof(JsonObject) => new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = new OpenApiSchema() },
        _ when Implements(type, typeof(IReadOnlyDictionary<,>), out var entries) => new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Of(entries[1]) },
        _ when Implements(type, typeof(IEnumerable<>), out var elements) => new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(elements[0]) },
        _ => Component($"{prefix}{Name(type)}", type, () => Object(type)),
    };

    private OpenApiSchema Object(Type type)
    {
        var schema = type.GetCustomAttribute<ExtendsAttribute>() is { } extends ? Object(extends.Type)
            : new OpenApiSchema { Type = JsonSchemaType.Object, Properties = new Dictionary<string, IOpenApiSchema>(), Required = new HashSet<string>() };
        foreach (var property in json.GetTypeInfo(type).Properties.Where(property => property.Get is not null || property.Set is not null))
        {
            var isNullable = property.IsGetNullable && !property.PropertyType.IsValueType;
            schema.Properties![property.Name] = isNullable ? OrNull(Of(property.PropertyType)) : Of(property.PropertyType);
            if (!isNullable && !MayBeAbsent(property))
            {
                schema.Required!.Add(property.Name);
            }
        }

        if (type.GetCustomAttribute<HasMoreAttribute>() is not null)
        {
            schema.AdditionalProperties = new OpenApiSchema();
        }

        return schema;
    }

    private static bool MayBeAbsent(JsonPropertyInfo property) =>
        Nullable.GetUnderlyingType(property.PropertyType) is not null
        || IsA(property.PropertyType, typeof(Patch<>), out _)
        || property.AssociatedParameter is { HasDefaultValue: true }
        || property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), true).Length > 0;

    private IOpenApiSchema Component(string name, Type type, Func<OpenApiSchema> make)
    {
        var made = Made.GetOrCreateValue(document);
        if (!made.TryGetValue(name, out var known))
        {
            // First: what it is made of may name it.
            made[name] = (type, new OpenApiSchema());
            made[name] = (type, make());
        }
        else if (known.Of != type)
        {
            throw new InvalidOperationException($"{known.Of} and {type} have the same name in the document: {name}.");
        }

        return new OpenApiSchemaReference(name, document);
    }

    private static IOpenApiSchema OrNull(IOpenApiSchema schema)
    {
        if (schema is OpenApiSchema { Type: { } type, Enum: null } own)
        {
            own.Type = type | JsonSchemaType.Null;
            return own;
        }

        // A schema that admits anything admits null.
        return schema is OpenApiSchema { Type: null, AnyOf: null } ? schema
            : new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, schema] };
    }

    private static string Name(Type type) =>
        IsA(type, typeof(Page<>), out var element) ? $"{Name(element)}Page"
        : type.Name.EndsWith("View", StringComparison.Ordinal) ? type.Name[..^4] : type.Name;

    private static bool IsA(Type type, Type generic, out Type argument)
    {
        var matches = type.IsGenericType && type.GetGenericTypeDefinition() == generic;
        argument = matches ? type.GetGenericArguments()[0] : typeof(void);
        return matches;
    }

    private static bool Implements(Type type, Type generic, out Type[] arguments)
    {
        var found = typeof(IEnumerable).IsAssignableFrom(type)
            ? type.GetInterfaces().Append(type).FirstOrDefault(one => one.IsGenericType && one.GetGenericTypeDefinition() == generic)
            : null;
        arguments = found?.GetGenericArguments() ?? [];
        return found is not null;
    }
}
