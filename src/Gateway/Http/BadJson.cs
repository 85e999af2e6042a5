using System.Collections;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Gateway.Http;

/// <summary>What is wrong with a body, from the place where the serializer gave up and the type that it was reading.</summary>
public static partial class BadJson
{
    public static ProblemDetails Explain(JsonException e, Type? body)
    {
        if (e.InnerException is JsonException or { InnerException: DecoderFallbackException })
        {
            return Problems.Of(400, "invalid_json", "The body is no JSON, or not in UTF-8.");
        }

        // The serializer names what is missing as the type does, so names are brought to ours.
        var steps = Steps().Matches(NestedJson.PathOf(e) ?? "").Select(step => (
            Index: step.Groups["index"].Value, Name: JsonNamingPolicy.CamelCase.ConvertName(step.Groups["name"].Value))).ToList();
        var field = string.Concat(steps.Select(step => step.Index.Length > 0 ? $"[{step.Index}]" : $".{step.Name}")).TrimStart('.');
        if (field.Length == 0)
        {
            return Problems.Of(400, "invalid_json", "The body is no JSON of the expected form: it is an object.");
        }

        if (body is null)
        {
            return Problems.Of(400, "invalid_field", $"The field '{field}' is missing or has a value of the wrong type.", field);
        }

        return TypeAt(body, steps.Select(step => step.Name)) is { } expected
            ? Problems.Of(400, "invalid_field", $"'{field}' is {Described(expected)}.", field)
            : Problems.Of(400, "unknown_field", $"The field '{field}' is not known here.", field);
    }

    /// <summary>What a field of the type takes, as it is written.</summary>
    public static string Described(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(Patch<>) => Described(type.GetGenericArguments()[0]),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(Setting<>) => $"{Described(type.GetGenericArguments()[0])}, or \"off\"",
            { IsEnum: true } => $"one of {string.Join(", ", Wire.WordsOf(type))}",
            _ when type == typeof(string) => "a text",
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(double) => "a number",
            _ when type == typeof(int) || type == typeof(long) => "a whole number",
            _ when type == typeof(Guid) => "an id (a UUID)",
            _ when type == typeof(DateTimeOffset) => "a time (ISO 8601)",
            _ when type != typeof(JsonObject) && typeof(IEnumerable).IsAssignableFrom(type) && !type.Name.StartsWith("Dictionary", StringComparison.Ordinal) => "a list, each of its elements of the form that is documented",
            _ => "an object of the form that is documented",
        };
    }

    /// <summary>The type that the last name has, if each is one of the type before it. An element of a list is a step without a name.</summary>
    private static Type? TypeAt(Type type, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            var info = Wire.Strict.GetTypeInfo(type);
            if (info.Kind == JsonTypeInfoKind.None && type.IsGenericType)
            {
                // Patch, Setting, Items, and what may be null: what they hold is theirs to say.
                info = Wire.Strict.GetTypeInfo(type = type.GetGenericArguments()[0]);
            }

            if (info.Kind == JsonTypeInfoKind.Object && name.Length > 0)
            {
                if (info.Properties.FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } property)
                {
                    return null;
                }

                type = property.PropertyType;
            }
            else
            {
                type = info.ElementType ?? type;
            }
        }

        return type;
    }

    /// <summary><c>$.identities[0]['a b']</c>, step by step.</summary>
    [GeneratedRegex(@"\.(?<name>[^.\[]+)|\[(?<index>\d+)\]|\['(?<name>[^]]*)'\]")]
    private static partial Regex Steps();
}
