using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts;

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
        return field.Length == 0 ? Problems.Of(400, "invalid_json", "The body is no JSON of the expected form.")
            : body is not null && !Knows(body, steps.Select(step => step.Name)) ? Problems.Of(400, "unknown_field", $"The field '{field}' is not known here.", field)
            : Problems.Of(400, "invalid_field", $"The field '{field}' is missing or has a value of the wrong type.", field);
    }

    /// <summary>Whether each name is one of the type before it. An element of a list is a step without a name.</summary>
    private static bool Knows(Type type, IEnumerable<string> names)
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
                    return false;
                }

                type = property.PropertyType;
            }
            else
            {
                type = info.ElementType ?? type;
            }
        }

        return true;
    }

    /// <summary><c>$.identities[0]['a b']</c>, step by step.</summary>
    [GeneratedRegex(@"\.(?<name>[^.\[]+)|\[(?<index>\d+)\]|\['(?<name>[^]]*)'\]")]
    private static partial Regex Steps();
}
