using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Harness;

/// <summary>The OpenAPI document of the service, and what it says of an answer: every answer that a test gets is held against it.</summary>
public sealed class ApiDocument
{
    private static readonly SemaphoreSlim Asking = new(1, 1);
    private static ApiDocument? _known;

    private readonly List<Operation> _operations = [];
    private readonly ILookup<(string Method, int Segments), Operation> _byShape;
    private readonly HashSet<string> _codes;

    private ApiDocument(JsonObject json)
    {
        Json = json;
        foreach (var (path, item) in json["paths"]!.AsObject())
        {
            foreach (var (method, operation) in item!.AsObject())
            {
                _operations.Add(new Operation(method.ToUpperInvariant(), path, path.Split('/'), operation!.AsObject()));
            }
        }

        _byShape = _operations.ToLookup(operation => (operation.Method, operation.Segments.Length));
        _codes = [.. json["components"]!["schemas"]!["Problem"]!["properties"]!["code"]!["examples"]!.AsArray().Select(code => (string)code!)];
    }

    public sealed record Operation(string Method, string Path, string[] Segments, JsonObject Json)
    {
        public string Name => $"{Method} {Path}";
    }

    public JsonObject Json { get; }

    public IReadOnlyList<Operation> Operations => _operations;

    /// <summary>It is the same of every node, so it is asked for once.</summary>
    public static async Task<ApiDocument> Of(Uri address)
    {
        if (_known is { } known)
        {
            return known;
        }

        await Asking.WaitAsync();
        try
        {
            using var http = new HttpClient { BaseAddress = address };
            return _known ??= new ApiDocument(JsonNode.Parse(await http.GetStringAsync("/openapi/v1.json"))!.AsObject());
        }
        finally
        {
            Asking.Release();
        }
    }

    /// <summary>What is wrong with the answer, if anything is.</summary>
    public string? Complaint(HttpMethod method, string path, HttpResponseMessage response, string text)
    {
        var status = (int)response.StatusCode;
        var isHead = method == HttpMethod.Head;
        var operation = Find(isHead ? "GET" : method.Method, path.Split('?')[0]);
        if (operation is null)
        {
            return status is 404 or 405 || !(path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/focus/", StringComparison.Ordinal))
                ? null
                : $"{method} {path}: an operation that isn't in the document was answered {status}";
        }

        if (operation.Json["responses"]![$"{status}"] is not { } declared)
        {
            return $"{operation.Name}: {status} isn't declared: {text}";
        }

        if (isHead || declared["content"] is not JsonObject content)
        {
            return isHead || text.Length == 0 ? null : $"{operation.Name}: {status} has a body that isn't declared: {text}";
        }

        var media = response.Content.Headers.ContentType?.MediaType ?? "";
        if (content[media] is not { } form)
        {
            return $"{operation.Name}: {status} as '{media}' isn't declared: {text}";
        }

        if (!media.EndsWith("json", StringComparison.Ordinal))
        {
            return null;
        }

        var body = JsonNode.Parse(text);
        if (media == "application/problem+json" && !_codes.Contains((string)body!["code"]!))
        {
            return $"{operation.Name}: the code '{body["code"]}' isn't declared";
        }

        return Mismatch(form["schema"]!, body, "$") is { } mismatch ? $"{operation.Name}: {status} {mismatch}: {text}" : null;
    }

    public Operation? Find(string method, string path)
    {
        var segments = path.Split('/');
        return _byShape[(method, segments.Length)]
            .Where(operation => operation.Segments.Zip(segments).All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First == pair.Second))
            .MinBy(operation => operation.Segments.Count(segment => segment.StartsWith('{')));
    }

    /// <summary>What a schema means that another one names.</summary>
    public JsonNode Resolve(JsonNode schema) =>
        (string?)schema["$ref"] is { } reference ? Json["components"]!["schemas"]![reference.Split('/')[^1]] ?? throw new InvalidOperationException($"{reference} isn't there") : schema;

    private string? Mismatch(JsonNode schema, JsonNode? value, string at)
    {
        schema = Resolve(schema);
        if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray choices)
        {
            var mismatches = choices.Select(choice => Mismatch(choice!, value, at)).ToList();
            return mismatches.Contains(null) ? null : $"{at} is none of: {string.Join("; ", mismatches)}";
        }

        if (schema["enum"] is JsonArray words)
        {
            return words.Any(word => JsonNode.DeepEquals(word, value)) ? null : $"{at} is {value?.ToJsonString() ?? "null"}, which isn't among its words";
        }

        if (schema["type"] is { } type && !(type is JsonArray types ? types.Any(one => IsA((string)one!, value)) : IsA((string)type!, value)))
        {
            return $"{at} is {value?.ToJsonString() ?? "null"} and not {type.ToJsonString()}";
        }

        switch (value)
        {
            case JsonArray array when schema["items"] is { } items:
                return array.Select((item, i) => Mismatch(items, item, $"{at}[{i}]")).FirstOrDefault(mismatch => mismatch is not null);
            case JsonObject body:
                var properties = schema["properties"] as JsonObject;
                if (schema["required"] is JsonArray required && required.FirstOrDefault(name => !body.ContainsKey((string)name!)) is { } missing)
                {
                    return $"{at}.{missing} is missing";
                }

                foreach (var (name, member) in body)
                {
                    if ((properties?[name] ?? schema["additionalProperties"]) is { } known)
                    {
                        if (known is JsonObject && Mismatch(known, member, $"{at}.{name}") is { } mismatch)
                        {
                            return mismatch;
                        }
                    }
                    else if (properties is not null)
                    {
                        return $"{at}.{name} isn't declared";
                    }
                }

                return null;
            default:
                return null;
        }
    }

    private static bool IsA(string type, JsonNode? value) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("null", JsonValueKind.Null) or ("string", JsonValueKind.String) or ("boolean", JsonValueKind.True or JsonValueKind.False)
            or ("number", JsonValueKind.Number) or ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
        ("integer", JsonValueKind.Number) => value!.AsValue().TryGetValue<long>(out _),
        _ => false,
    };
}
