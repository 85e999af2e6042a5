using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>A mapper's file, YAML or JSON, as JSON.</summary>
public static partial class MapperFile
{
    public const int MaxSize = 1024 * 1024;
    private const int MaxNodes = 50_000;
    private const int MaxDepth = 40;

    public static (JsonText? Configuration, string? Mistake) ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object ? (JsonText.From(document.RootElement), null) : (null, "The file holds no JSON object.");
        }
        catch (JsonException e)
        {
            return (null, $"The file is no JSON: line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}.");
        }
    }

    public static (JsonText? Configuration, string? Mistake) ReadYaml(string text)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
            {
                return (null, "The file holds no single YAML mapping.");
            }

            var reader = new Reader();
            var json = reader.Read(root, 0);
            return reader.IsTooLarge ? (null, "The file is nested too deeply, or too large.") : (new JsonText(json!.ToJsonString(Wire.Json)), null);
        }
        catch (YamlException e)
        {
            return (null, $"The file is no YAML: line {e.Start.Line}, column {e.Start.Column}.");
        }
    }

    /// <summary>An alias is the very node that it names, so a small file may be a huge tree.</summary>
    private sealed class Reader
    {
        private int _nodes;

        public bool IsTooLarge { get; private set; }

        public JsonNode? Read(YamlNode node, int depth)
        {
            IsTooLarge |= depth > MaxDepth || ++_nodes > MaxNodes;
            return IsTooLarge ? null : node switch
            {
                YamlMappingNode mapping => new JsonObject(mapping.Children.Select(part => KeyValuePair.Create((part.Key as YamlScalarNode)?.Value ?? "", Read(part.Value, depth + 1)))),
                YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(part => Read(part, depth + 1))]),
                YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value),
                YamlScalarNode scalar => JsonValue.Create(scalar.Value ?? ""),
                _ => null,
            };
        }
    }

    /// <summary>What stands without quotes, as YAML's core schema has it.</summary>
    private static JsonNode? Plain(string? text) => text switch
    {
        null or "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ when Number().IsMatch(text) && double.Parse(text, CultureInfo.InvariantCulture) is var number && double.IsFinite(number) =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? JsonValue.Create(whole) : JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };

    [GeneratedRegex(@"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$")]
    private static partial Regex Number();
}
