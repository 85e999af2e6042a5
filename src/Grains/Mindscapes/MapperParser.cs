using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// Reads a mapper in any of its three dialects. Whatever can't be understood is named with its path, all of it at once: what
/// was silently passed over would be a rule that never fires.
/// </summary>
public sealed class MapperParser
{
    public const int MaxDepth = 8;
    public const int MaxRules = 200;

    private static readonly FrozenDictionary<string, Operator> Operators = Enum.GetValues<Operator>()
        .ToFrozenDictionary(value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()), StringComparer.Ordinal);

    private static readonly string[] Kinds = ["trait_check", "context_check", "time_check", "narrative_check", "all", "any", "not"];
    private static readonly string[] Priorities = ["high", "medium", "low"];
    private static readonly string[] Periods = ["morning", "afternoon", "evening", "night"];
    private static readonly string[] Transforms = ["minutes_to_hours", "capitalize", "lower"];

    private static readonly TimeSpan PatternPatience = TimeSpan.FromMilliseconds(100);

    private readonly List<string> _mistakes = [];
    private JsonElement _templates;

    private MapperParser()
    {
    }

    /// <returns>The mapper, or what is wrong with it.</returns>
    public static (MapperConfig? Mapper, IReadOnlyList<string> Mistakes) Parse(JsonElement configuration)
    {
        var parser = new MapperParser();
        var mapper = parser.Mapper(configuration);
        return parser._mistakes.Count == 0 ? (mapper, []) : (null, parser._mistakes);
    }

    private MapperConfig Mapper(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            Wrong("configuration", "is an object with 'metadata' and 'rules'");
            return Empty("");
        }

        var metadata = Object(root, "", "metadata", isRequired: true);
        var id = Text(metadata, "metadata", "id", isRequired: metadata is not null) ?? "";
        if (id.Length > 255)
        {
            Wrong("metadata.id", "has at most 255 characters");
        }

        var ttl = Number(metadata, "metadata", "default_ttl_hours", 1, 168) ?? 24;
        _templates = Object(root, "", "templates") ?? JsonElement.Parse("{}");
        var rules = new List<MapperRule>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        if (!root.TryGetProperty("rules", out var list))
        {
            Wrong("rules", "is required");
        }
        else if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxRules)
        {
            Wrong("rules", $"is a list of at most {MaxRules} rules");
        }
        else
        {
            foreach (var (index, rule) in list.EnumerateArray().Index())
            {
                var path = $"rules[{index}]";
                if (rule.ValueKind != JsonValueKind.Object)
                {
                    Wrong(path, "is an object with 'id', 'conditions' and 'actions'");
                    continue;
                }

                rules.Add(Rule(rule, path, known));
            }
        }

        return new MapperConfig(
            id, Text(metadata, "metadata", "name") ?? id, (int)ttl, Texts(root, "", "required_traits") ?? [], Mappings(root), rules, Feedback(root));
    }

    private static MapperConfig Empty(string id) => new(id, id, 24, [], FrozenDictionary<string, IReadOnlyList<string>>.Empty, [], FeedbackSettings.Default);

    private MapperRule Rule(JsonElement rule, string path, HashSet<string> known)
    {
        var id = Text(rule, path, "id", isRequired: true) ?? "";
        if (id.Length > 0 && !known.Add(id))
        {
            Wrong($"{path}.id", $"'{id}' is the id of another rule too");
        }

        Condition condition = new All([]);
        if (rule.TryGetProperty("conditions", out var conditions) || rule.TryGetProperty("condition", out conditions))
        {
            condition = Condition(conditions, $"{path}.conditions", 1);
        }
        else
        {
            Wrong($"{path}.conditions", "is required");
        }

        var suggestions = new List<Suggestion>();
        if (!rule.TryGetProperty("actions", out var actions) || actions.ValueKind != JsonValueKind.Array)
        {
            Wrong($"{path}.actions", "is a list of actions");
        }
        else
        {
            foreach (var (index, action) in actions.EnumerateArray().Index())
            {
                if (Action(action, $"{path}.actions[{index}]", Text(rule, path, "name") ?? id) is { } suggestion)
                {
                    suggestions.Add(suggestion);
                }
            }
        }

        return new MapperRule(id, Number(rule, path, "weight", -10, 10) ?? 1, condition, suggestions);
    }

    private Condition Condition(JsonElement given, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            Wrong(path, $"is nested deeper than {MaxDepth}");
            return new All([]);
        }

        if (given.ValueKind == JsonValueKind.Array)
        {
            return new All(List(given, path, depth));
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            Wrong(path, "is a condition: an object");
            return new All([]);
        }

        var type = Text(given, path, "type");
        switch (type)
        {
            case "all" or "any" or "not" or "single" when given.TryGetProperty("conditions", out var of):
                return Group(type, of, $"{path}.conditions", path, depth);
            case "trait_check" or "context_check" or "time_check" or "narrative_check" when !given.TryGetProperty(type, out _):
                return Check(type, given, path);
            case "all" or "any" or "not" when !Kinds.Any(kind => given.TryGetProperty(kind, out _)):
                Wrong($"{path}.conditions", "is required");
                return new All([]);
            case not null when type != "single" && !Kinds.Contains(type):
                Wrong($"{path}.type", $"'{type}' is no kind of condition");
                return new All([]);
        }

        var named = Kinds.Where(kind => given.TryGetProperty(kind, out _)).ToList();
        if (named.Count != 1)
        {
            Wrong(path, named.Count == 0 ? $"names no condition: {string.Join(", ", Kinds)}" : $"names {named.Count} conditions: {string.Join(", ", named)}");
            return new All([]);
        }

        var inner = given.GetProperty(named[0]);
        return named[0] is "all" or "any" or "not"
            ? Group(named[0], inner, $"{path}.{named[0]}", path, depth)
            : Check(named[0], inner, $"{path}.{named[0]}");
    }

    private Condition Group(string kind, JsonElement of, string path, string whole, int depth)
    {
        // One condition may stand for a list of one.
        var list = of.ValueKind == JsonValueKind.Object ? [Condition(of, path, depth + 1)] : List(of, path, depth);
        switch (kind)
        {
            case "all":
                return new All(list);
            case "any":
                return new Any(list);
            case "not":
                return new Not(list.Count == 1 ? list[0] : new All(list));
            default:
                if (list.Count != 1)
                {
                    Wrong(whole, $"is single and has {list.Count} conditions");
                }

                return list.Count == 1 ? list[0] : new All([]);
        }
    }

    private List<Condition> List(JsonElement given, string path, int depth)
    {
        if (given.ValueKind != JsonValueKind.Array)
        {
            Wrong(path, "is a list of conditions");
            return [];
        }

        return [.. given.EnumerateArray().Index().Select(item => Condition(item.Item, $"{path}[{item.Index}]", depth + 1))];
    }

    private Condition Check(string kind, JsonElement given, string path)
    {
        if (given.ValueKind != JsonValueKind.Object)
        {
            Wrong(path, "is an object");
            return new All([]);
        }

        switch (kind)
        {
            case "time_check":
                return Time(given, path);
            case "narrative_check":
                return Narrative(given, path);
        }

        var name = new[] { "path", "trait", "field" }.FirstOrDefault(name => given.TryGetProperty(name, out _)) ?? "path";
        var of = Text(given, path, name, isRequired: true) ?? "";
        var word = Text(given, path, "operator", isRequired: true);
        if (word is null || !Operators.TryGetValue(word, out var @operator))
        {
            if (word is not null)
            {
                Wrong($"{path}.operator", $"'{word}' is no operator: {string.Join(", ", Operators.Keys.Order(StringComparer.Ordinal))}");
            }

            return new All([]);
        }

        JsonElement? value = given.TryGetProperty("value", out var found) ? found.Clone() : null;
        var pattern = @operator == Operator.Matches && value is { ValueKind: JsonValueKind.String } text ? PatternOf(text.GetString()!) : null;
        CheckValue(kind, @operator, value, pattern, path);
        return kind == "trait_check" ? new TraitCheck(of, @operator, value, pattern) : new ContextCheck(of, @operator, value, pattern);
    }

    private NarrativeCheck Narrative(JsonElement given, string path)
    {
        string Name(string name, string other) => given.TryGetProperty(name, out _) ? name : other;
        var query = Text(given, path, Name("query", "semantic_query"), isRequired: true) ?? "";
        if (query.Length > NarrativeRules.MaxQuery)
        {
            Wrong($"{path}.query", $"has at most {NarrativeRules.MaxQuery} characters");
        }

        NarrativeType? only = null;
        if (given.TryGetProperty("narrative_types", out var types) && types.ValueKind != JsonValueKind.Null)
        {
            var known = Enum.GetValues<NarrativeType>().Where(type => types.ValueKind == JsonValueKind.Array
                && types.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.GetString() == NarrativeStore.WordOf(type))).ToList();
            if (known.Count == 0 || known.Count != types.GetArrayLength())
            {
                Wrong($"{path}.narrative_types", "is a list of self_observation and curation");
            }

            only = known.Count == 1 ? known[0] : null;
        }

        return new NarrativeCheck(
            query, Number(given, path, Name("similarity_threshold", "threshold"), 0, 1) ?? .7, (int)(Number(given, path, "limit", 1, 20) ?? 5), only);
    }

    private void CheckValue(string kind, Operator @operator, JsonElement? value, Regex? pattern, string path)
    {
        var at = $"{path}.value";
        switch (@operator)
        {
            case Operator.Exists or Operator.NotExists:
                break;
            case var _ when value is null:
                Wrong(at, "is required");
                break;
            case Operator.Greater or Operator.GreaterOrEqual or Operator.Less or Operator.LessOrEqual when RuleEngine.NumberOf(value.Value) is null:
                Wrong(at, "is a number");
                break;
            case Operator.In when value.Value.ValueKind != JsonValueKind.Array:
                Wrong(at, "is a list");
                break;
            case Operator.Matches when pattern is null:
                Wrong(at, "is a regular expression (without look-around and back-references)");
                break;
            case Operator.WithinMinutes when kind != "context_check":
                Wrong($"{path}.operator", "'within_minutes' is for times of the context");
                break;
            case Operator.WithinMinutes when TraitFold.Number(value.Value) is not >= 0:
                Wrong(at, "is a number of minutes");
                break;
        }
    }

    /// <summary>One that takes no longer than the text is long, whoever wrote it.</summary>
    private static Regex? PatternOf(string pattern)
    {
        try
        {
            return pattern.Length <= 500 ? new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, PatternPatience) : null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private TimeCheck Time(JsonElement given, string path)
    {
        var period = Word(given, path, "period", Periods);
        (int, int)? hours = null;
        if (given.TryGetProperty("hour_range", out var range))
        {
            if (range.ValueKind == JsonValueKind.Array && range.GetArrayLength() == 2 && Hour(range[0]) is { } from && Hour(range[1]) is { } to)
            {
                hours = (from, to);
            }
            else
            {
                Wrong($"{path}.hour_range", "is two hours from 0 to 24");
            }
        }

        List<DayOfWeek>? days = null;
        if (given.TryGetProperty("day_of_week", out var names))
        {
            days = [];
            foreach (var day in names.ValueKind == JsonValueKind.Array ? [.. names.EnumerateArray()] : (JsonElement[])[names])
            {
                if (day.ValueKind == JsonValueKind.String && DayOf(day.GetString()!) is { } known)
                {
                    days.Add(known);
                }
                else
                {
                    Wrong($"{path}.day_of_week", $"'{day}' is no day of the week");
                }
            }
        }

        var zone = Text(given, path, "timezone");
        if (zone is not null && zone != TimeCheck.UserLocal && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            Wrong($"{path}.timezone", $"'{zone}' is no IANA time zone, nor {TimeCheck.UserLocal}");
        }

        if (period is null && hours is null && days is null && !given.TryGetProperty("period", out _) && !given.TryGetProperty("hour_range", out _))
        {
            Wrong(path, "names period, hour_range or day_of_week");
        }

        return new TimeCheck(period, hours, days, zone);
    }

    private static int? Hour(JsonElement given) => given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out var hour) && hour is >= 0 and <= 24 ? hour : null;

    private static DayOfWeek? DayOf(string name) => Enum.GetValues<DayOfWeek>().Cast<DayOfWeek?>().FirstOrDefault(day =>
        day.ToString()!.Equals(name, StringComparison.OrdinalIgnoreCase) || day.ToString()![..3].Equals(name, StringComparison.OrdinalIgnoreCase));

    private Suggestion? Action(JsonElement given, string path, string rule)
    {
        if (given.ValueKind != JsonValueKind.Object)
        {
            Wrong(path, "is an action: an object");
            return null;
        }

        var type = Text(given, path, "type");
        if (given.TryGetProperty("generate_suggestion", out var inner) && type is null or "generate_suggestion")
        {
            path = $"{path}.generate_suggestion";
            if (inner.ValueKind != JsonValueKind.Object)
            {
                Wrong(path, "is an object");
                return null;
            }

            return Suggestion(inner, path, rule, mayBeText: false);
        }

        if (type == "suggestion")
        {
            return Suggestion(given, path, rule, mayBeText: true);
        }

        Wrong(type is null or "generate_suggestion" ? path : $"{path}.type", type switch
        {
            null => "names no action: generate_suggestion, or type suggestion",
            "generate_suggestion" => "has no generate_suggestion",
            _ => $"'{type}' is no kind of action",
        });
        return null;
    }

    /// <param name="mayBeText">The template may be the text itself.</param>
    private Suggestion? Suggestion(JsonElement given, string path, string rule, bool mayBeText)
    {
        var name = Text(given, path, "template");
        var template = default(JsonElement);
        string? text = null;
        if (name is not null && !_templates.TryGetProperty(name, out template))
        {
            if (!mayBeText)
            {
                Wrong($"{path}.template", $"'{name}' is no template");
                return null;
            }

            text = name;
        }
        else if (template.ValueKind == JsonValueKind.String)
        {
            text = template.GetString();
        }

        var at = $"templates.{name}";
        var inTemplate = template.ValueKind == JsonValueKind.Object ? template : (JsonElement?)null;
        var title = Text(given, path, "title") ?? Text(inTemplate, at, "title");
        var description = Text(given, path, "description") ?? Text(inTemplate, at, "description") ?? text;
        if (title is null && description is null)
        {
            Wrong(path, "has neither a template nor a title or description");
            return null;
        }

        var parameters = new List<Parameter>();
        foreach (var (of, from) in ((JsonElement?, string)[])[(inTemplate, at), (given, path)])
        {
            if (Object(of, from, "parameters") is { } all)
            {
                parameters.RemoveAll(parameter => all.TryGetProperty(parameter.Name, out _));
                parameters.AddRange(all.EnumerateObject().Select(parameter => Parameter(parameter.Name, parameter.Value, $"{from}.parameters.{parameter.Name}")));
            }
        }

        var type = mayBeText ? Text(given, path, "suggestion_type") : Text(given, path, "type");
        var lasting = Element(given, "duration_minutes") ?? Element(inTemplate, "duration_minutes") ?? Element(inTemplate, "duration");
        return new Suggestion(
            type ?? Text(inTemplate, at, "type") ?? "suggestion", title ?? rule, description ?? "",
            Word(given, path, "priority", Priorities) ?? Word(inTemplate, at, "priority", Priorities) ?? "medium",
            Object(given, path, "metadata") ?? Object(inTemplate, at, "metadata") ?? JsonElement.Parse("{}"), parameters,
            lasting is { } duration ? Duration(duration, $"{path}.duration_minutes") : null, Element(given, "action") ?? Element(inTemplate, "action"));
    }

    /// <summary>Minutes, or where they come from; also as a placeholder in braces.</summary>
    private Parameter Duration(JsonElement given, string path) =>
        given.ValueKind == JsonValueKind.String && Placeholders.In(given.GetString()!).FirstOrDefault() is { } placeholder
            ? new Parameter("duration_minutes", Origin.Trait, placeholder, null, null)
            : Parameter("duration_minutes", given, path);

    private Parameter Parameter(string name, JsonElement given, string path)
    {
        if (given.ValueKind != JsonValueKind.Object || !(given.TryGetProperty("from_trait", out _) || given.TryGetProperty("from_context", out _) || given.TryGetProperty("default", out _)))
        {
            return new Parameter(name, Origin.Literal, null, given.Clone(), null);
        }

        var (trait, context) = (Text(given, path, "from_trait"), Text(given, path, "from_context"));
        return new Parameter(
            name, trait is not null ? Origin.Trait : context is not null ? Origin.Context : Origin.Literal, trait ?? context,
            Element(given, "default"), Word(given, path, "transform", Transforms));
    }

    private FrozenDictionary<string, IReadOnlyList<string>> Mappings(JsonElement root)
    {
        var mappings = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var mapping in Object(root, "", "trait_mappings")?.EnumerateObject().ToList() ?? [])
        {
            if (Texts(mapping.Value, $"trait_mappings.{mapping.Name}") is { } traits)
            {
                mappings[mapping.Name] = traits;
            }
        }

        return mappings.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private FeedbackSettings Feedback(JsonElement root)
    {
        if (Object(root, "", "feedback_settings") is not { } given)
        {
            return FeedbackSettings.Default;
        }

        double? Of(double min, double max, params string[] names) =>
            names.Select(name => Number(given, "feedback_settings", name, min, max)).FirstOrDefault(number => number is not null);

        var usual = FeedbackSettings.Default;
        return new FeedbackSettings(
            (int)(Of(1, 1000, "negative_threshold", "threshold") ?? usual.Threshold),
            Of(1, 365, "window_days", "window") is { } days ? TimeSpan.FromDays(days) : usual.Window,
            Of(1, 10, "positive_adjustment", "helpful_factor") ?? usual.Up, Of(0, 1, "negative_adjustment", "not_helpful_factor") ?? usual.Down,
            Of(0, 10, "min_weight", "min") ?? usual.Min, Of(0, 10, "max_weight", "max") ?? usual.Max);
    }

    private void Wrong(string path, string what) => _mistakes.Add($"{path}: {what}");

    private static string At(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static JsonElement? Element(JsonElement? of, string name) => of is { } given && given.TryGetProperty(name, out var found) ? found.Clone() : null;

    private JsonElement? Object(JsonElement? of, string path, string name, bool isRequired = false)
    {
        if (of is not { } given || !given.TryGetProperty(name, out var found) || (found.ValueKind == JsonValueKind.Null && !isRequired))
        {
            if (isRequired)
            {
                Wrong(At(path, name), "is required");
            }

            return null;
        }

        if (found.ValueKind == JsonValueKind.Object)
        {
            return found.Clone();
        }

        Wrong(At(path, name), "is an object");
        return null;
    }

    private string? Text(JsonElement? of, string path, string name, bool isRequired = false)
    {
        if (of is not { } given || !given.TryGetProperty(name, out var found) || (found.ValueKind == JsonValueKind.Null && !isRequired))
        {
            if (isRequired)
            {
                Wrong(At(path, name), "is required");
            }

            return null;
        }

        if (found.ValueKind == JsonValueKind.String && !(isRequired && string.IsNullOrWhiteSpace(found.GetString())))
        {
            return found.GetString();
        }

        Wrong(At(path, name), "is a text");
        return null;
    }

    private string? Word(JsonElement? of, string path, string name, string[] words)
    {
        var word = Text(of, path, name);
        if (word is null || words.Contains(word))
        {
            return word;
        }

        Wrong(At(path, name), $"'{word}' is none of {string.Join(", ", words)}");
        return null;
    }

    private double? Number(JsonElement? of, string path, string name, double min, double max)
    {
        if (of is not { } given || !given.TryGetProperty(name, out var found) || found.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (TraitFold.Number(found) is { } number && number >= min && number <= max)
        {
            return number;
        }

        Wrong(At(path, name), string.Create(CultureInfo.InvariantCulture, $"is a number from {min} to {max}"));
        return null;
    }

    private List<string>? Texts(JsonElement of, string path, string name) => Element(of, name) is { } found ? Texts(found, At(path, name)) : null;

    private List<string>? Texts(JsonElement given, string path)
    {
        if (given.ValueKind == JsonValueKind.Array && given.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. given.EnumerateArray().Select(item => item.GetString()!)];
        }

        Wrong(path, "is a list of texts");
        return null;
    }
}

/// <summary>What stands in braces in a text.</summary>
public static partial class Placeholders
{
    public static IEnumerable<string> In(string text) => Braces().Matches(text).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"\{([A-Za-z0-9_.]+)\}")]
    public static partial Regex Braces();
}
