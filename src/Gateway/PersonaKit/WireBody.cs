using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>
/// A request as the first server read it: fields nobody knows are passed over, and whatever is wrong with the others is said
/// all at once, in the words that its clients know.
/// </summary>
public sealed class WireBody
{
    private readonly JsonArray _errors = [];
    private readonly JsonObject _body;
    private readonly string _where;

    private WireBody(JsonObject body, string where) => (_body, _where) = (body, where);

    public bool IsInvalid => _errors.Count > 0;

    public static async Task<WireBody> Read(HttpContext http)
    {
        try
        {
            var node = await JsonNode.ParseAsync(http.Request.Body, documentOptions: new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false }, cancellationToken: http.RequestAborted);
            if (node is JsonObject body)
            {
                return new WireBody(body, "body");
            }

            var other = new WireBody([], "body");
            other._errors.Add(Error("model_attributes_type", ["body"], "Input should be a valid dictionary or object to extract fields from", node));
            return other;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            var broken = new WireBody([], "body");
            broken._errors.Add(Error("json_invalid", ["body", (e as JsonException)?.BytePositionInLine ?? 0], "JSON decode error", new JsonObject()));
            return broken;
        }
    }

    /// <summary>The query's parameters, read alike.</summary>
    public static WireBody Query(HttpContext http) => new(
        new JsonObject(http.Request.Query.Where(one => one.Value.Count > 0).Select(one => KeyValuePair.Create(one.Key, (JsonNode?)JsonValue.Create(one.Value[^1])))), "query");

    /// <summary>A part of the path is no id.</summary>
    public static IResult Path(string name, string input) =>
        WireAnswers.Of(422, new JsonArray(Error("uuid_parsing", ["path", name], "Input should be a valid UUID", JsonValue.Create(input))));

    /// <summary>A part of a form isn't there.</summary>
    public static IResult Missing(string name) => WireAnswers.Of(422, new JsonArray(Error("missing", ["body", name], "Field required", null)));

    public IResult Refuse() => WireAnswers.Of(422, _errors.DeepClone());

    public bool Has(string name) => _body[name] is not null;

    public Guid? Uuid(string name, bool isRequired = false) => Value(name, isRequired) is not { } value ? null
        : value.GetValueKind() == JsonValueKind.String && Guid.TryParse(value.GetValue<string>(), out var id) ? id
        : Wrong<Guid>("uuid_parsing", name, "Input should be a valid UUID", value);

    /// <param name="alias">Another name of it, which is taken where the first isn't there.</param>
    public string? Text(string name, bool isRequired = false, int min = 0, int max = int.MaxValue, string? alias = null)
    {
        name = Named(name, alias);
        if (Value(name, isRequired) is not { } value)
        {
            return null;
        }

        if (value.GetValueKind() != JsonValueKind.String)
        {
            Wrong<int>("string_type", name, "Input should be a valid string", value);
            return null;
        }

        var text = value.GetValue<string>();
        if (text.Length < min)
        {
            Wrong<int>("string_too_short", name, $"String should have at least {min} character{(min == 1 ? "" : "s")}", value);
        }
        else if (text.Length > max)
        {
            Wrong<int>("string_too_long", name, $"String should have at most {max} characters", value);
        }

        return text;
    }

    public string? Email(string name, int max)
    {
        if (Text(name, isRequired: true, max: max) is not { } text || text.Length > max)
        {
            return null;
        }

        var at = text.IndexOf('@');
        if (at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || char.IsSurrogate(c)))
        {
            return text;
        }

        Wrong<int>("value_error", name, "value is not a valid email address", _body[name]);
        return null;
    }

    public int? Int(string name, int min, int max)
    {
        if (Value(name, false) is not { } value)
        {
            return null;
        }

        int number;
        if (value.GetValueKind() == JsonValueKind.String ? !int.TryParse(value.GetValue<string>(), out number) : !(value.GetValueKind() == JsonValueKind.Number & value.AsValue().TryGetValue(out number)))
        {
            return Wrong<int>("int_parsing", name, "Input should be a valid integer, unable to parse string as an integer", value);
        }

        return Within(name, number, min, max, value);
    }

    public double? Number(string name, double min, double max, string? alias = null)
    {
        name = Named(name, alias);
        return Value(name, false) is not { } value ? null
            : value.GetValueKind() != JsonValueKind.Number || !value.AsValue().TryGetValue(out double number)
                ? Wrong<double>("float_parsing", name, "Input should be a valid number, unable to parse string as a number", value)
            : Within(name, number, min, max, value);
    }

    /// <summary>Any JSON, of which null is one.</summary>
    public JsonText? Any(string name, bool isRequired = false)
    {
        if (_body.TryGetPropertyValue(name, out var value))
        {
            return new JsonText(value?.ToJsonString(Wire.Json) ?? "null");
        }

        Value(name, isRequired);
        return null;
    }

    public Items<string>? Texts(string name)
    {
        if (Value(name, false) is not { } value)
        {
            return null;
        }

        if (value is JsonArray list && list.All(item => item?.GetValueKind() == JsonValueKind.String))
        {
            return list.Select(item => (string)item!).ToItems();
        }

        Wrong<int>("list_type", name, "Input should be a valid list", value);
        return null;
    }

    /// <summary>One of an enum's words.</summary>
    public T? Word<T>(string name, bool isRequired = false)
        where T : struct, Enum => Text(name, isRequired) is not { } word ? null : NarrativeStore.ValueOf<T>(word) ?? WrongWord<T>(name, _body[name]);

    /// <summary>Some of an enum's words, or one.</summary>
    public IReadOnlyList<T>? Words<T>(string name)
        where T : struct, Enum
    {
        if (Value(name, false) is not { } value)
        {
            return null;
        }

        var words = new List<T>();
        foreach (var item in value is JsonArray list ? [.. list] : (List<JsonNode?>)[value])
        {
            if (item?.GetValueKind() == JsonValueKind.String && NarrativeStore.ValueOf<T>((string)item!) is { } word)
            {
                words.Add(word);
            }
            else
            {
                WrongWord<T>(name, item);
            }
        }

        return words.Count > 0 ? words : null;
    }

    private T? WrongWord<T>(string name, JsonNode? value)
        where T : struct, Enum =>
        Wrong<T>("enum", name, $"Input should be {string.Join(" or ", Enum.GetNames<T>().Select(known => $"'{JsonNamingPolicy.SnakeCaseLower.ConvertName(known)}'"))}", value);

    public bool? Flag(string name) => Value(name, false) is not { } value ? null : value.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => Wrong<bool>("bool_parsing", name, "Input should be a valid boolean, unable to interpret input", value),
    };

    /// <summary>An object, by the first of its names that is there.</summary>
    public JsonText? Object(string name, bool isRequired = false, string? alias = null)
    {
        name = Named(name, alias);
        if (Value(name, isRequired) is not { } value)
        {
            return null;
        }

        if (value is JsonObject found)
        {
            return new JsonText(found.ToJsonString(Wire.Json));
        }

        Wrong<int>("dict_type", name, "Input should be a valid dictionary", value);
        return null;
    }

    public MapperStatus? Status(string name) => Text(name) switch
    {
        null => null,
        "draft" => MapperStatus.Draft,
        "active" => MapperStatus.Active,
        "deprecated" => MapperStatus.Deprecated,
        _ => Wrong<MapperStatus>("enum", name, "Input should be 'draft', 'active' or 'deprecated'", _body[name]),
    };

    private string Named(string name, string? alias) => alias is not null && !Has(name) && Has(alias) ? alias : name;

    private T? Within<T>(string name, T number, T min, T max, JsonNode value)
        where T : struct, INumber<T> =>
        number < min ? Wrong<T>("greater_than_equal", name, $"Input should be greater than or equal to {min}", value)
        : number > max ? Wrong<T>("less_than_equal", name, $"Input should be less than or equal to {max}", value)
        : number;

    private JsonNode? Value(string name, bool isRequired)
    {
        if (_body[name] is { } value)
        {
            return value;
        }

        if (isRequired && _errors.All(error => (string?)error!["type"] != "json_invalid"))
        {
            _errors.Add(_body.ContainsKey(name)
                ? Error("none_required", [_where, name], "Input should not be null", null)
                : Error("missing", [_where, name], "Field required", _where == "body" ? _body : null));
        }

        return null;
    }

    private T? Wrong<T>(string type, string name, string message, JsonNode? input)
        where T : struct
    {
        _errors.Add(Error(type, [_where, name], message, input));
        return null;
    }

    private static JsonObject Error(string type, object[] where, string message, JsonNode? input) => new()
    {
        ["type"] = type,
        ["loc"] = new JsonArray([.. where.Select(step => step is string name ? JsonValue.Create(name) : JsonValue.Create(Convert.ToInt64(step)))]),
        ["msg"] = message,
        ["input"] = input?.DeepClone(),
    };
}
