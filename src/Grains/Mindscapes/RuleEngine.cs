using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What rules are asked of.</summary>
/// <param name="Context">As the caller gave it.</param>
/// <param name="UserZone">Where the person is.</param>
public sealed record RuleInput(TraitFacts Traits, JsonElement Context, TimeZoneInfo UserZone, DateTimeOffset Now)
{
    /// <summary>What was found for what the rules ask of narratives, the nearest first.</summary>
    public IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>> Narratives { get; init; } = new Dictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>();

    /// <summary>The time that the context names, or now.</summary>
    public (DateTimeOffset At, bool HasZone) Clock() =>
        TraitFacts.Below(Context, "current_time") is { ValueKind: JsonValueKind.String } given && Moment.Read(given.GetString()!, UserZone) is { } read ? read : (TimeZoneInfo.ConvertTime(Now, UserZone), true);

    public TimeZoneInfo ZoneOf(string name) => name == TimeCheck.UserLocal ? UserZone : TimeZoneInfo.FindSystemTimeZoneById(name);
}

/// <summary>Whether a condition held, why, and the same of its parts.</summary>
public sealed record Verdict(bool Held, string Why, IReadOnlyList<Verdict> Of)
{
    /// <summary>What the person said that made it hold.</summary>
    public IReadOnlyList<NearNarrative> Near { get; init; } = [];
}

/// <summary>Something that the person said, and how near it is to what was asked.</summary>
public sealed record NearNarrative(Guid Id, string Text, double Similarity, string? Source = null);

public sealed record RuleVerdict(string Rule, bool Fired, double Weight, Verdict Condition);

/// <summary>A suggestion, and the rule it comes from.</summary>
public sealed record Suggested(
    string Type, string Title, string Description, string Priority, JsonElement Metadata, IReadOnlyDictionary<string, JsonElement> Parameters,
    string RuleId, double Weight, JsonElement? DurationMinutes, JsonElement? Action)
{
    public IReadOnlyList<NearNarrative> Narratives { get; init; } = [];
}

/// <summary>Applies a mapper's rules. Nothing here knows where any of it comes from.</summary>
public static class RuleEngine
{
    public const int MaxSuggestions = 5;

    /// <summary>So much of what the person said goes with a rule's suggestions.</summary>
    private const int MaxNear = 3;

    /// <param name="weightOf">What feedback made of a rule's weight; none where it made nothing.</param>
    /// <returns>What each rule says, and the best of what those that fired suggest.</returns>
    public static (IReadOnlyList<RuleVerdict> Rules, IReadOnlyList<Suggested> Suggestions) Apply(MapperConfig mapper, Func<string, double?> weightOf, RuleInput input)
    {
        var verdicts = new List<RuleVerdict>(mapper.Rules.Count);
        var suggestions = new List<Suggested>();
        foreach (var rule in mapper.Rules)
        {
            var weight = weightOf(rule.Id) ?? rule.Weight;
            var verdict = Judge(rule.Condition, input);
            verdicts.Add(new RuleVerdict(rule.Id, verdict.Held && weight > 0, weight, verdict));
            if (verdict.Held && weight > 0)
            {
                suggestions.AddRange(rule.Suggestions.Select(suggestion => Fill(suggestion, rule.Id, weight, input) with { Narratives = verdict.Near }));
            }
        }

        return (verdicts, [.. suggestions.OrderByDescending(suggestion => suggestion.Weight).ThenBy(suggestion => suggestion.Priority switch { "high" => 0, "medium" => 1, _ => 2 }).Take(MaxSuggestions)]);
    }

    public static Verdict Judge(Condition condition, RuleInput input)
    {
        switch (condition)
        {
            case All all:
                var every = all.Of.Select(part => Judge(part, input)).ToList();
                return new Verdict(every.TrueForAll(part => part.Held), $"all of {every.Count}", every) { Near = NearOf(every) };
            case Any any:
                var some = any.Of.Select(part => Judge(part, input)).ToList();
                return new Verdict(some.Exists(part => part.Held), $"any of {some.Count}", some) { Near = NearOf(some) };
            case Not not:
                var other = Judge(not.Of, input);
                return new Verdict(!other.Held, "not", [other]);
            case TraitCheck check:
                return Compare($"trait {check.Path}", input.Traits.Find(check.Path), check.Operator, check.Value, check.Pattern, input);
            case ContextCheck check:
                return Compare($"context {check.Path}", TraitFacts.Below(input.Context, check.Path), check.Operator, check.Value, check.Pattern, input);
            case TimeCheck check:
                return JudgeTime(check, input);
            case NarrativeCheck check:
                var near = input.Narratives.GetValueOrDefault(check, []).Where(narrative => narrative.Similarity >= check.Threshold).Take(check.Limit).ToList();
                return new Verdict(near.Count > 0, $"narrative near '{Text.Shorten(check.Query)}': {near.Count} at {check.Threshold} or above", []) { Near = [.. near.Take(MaxNear)] };
            default:
                throw new ArgumentOutOfRangeException(nameof(condition));
        }
    }

    private static IReadOnlyList<NearNarrative> NearOf(IEnumerable<Verdict> parts) =>
        [.. parts.Where(part => part.Held).SelectMany(part => part.Near).OrderByDescending(narrative => narrative.Similarity).DistinctBy(narrative => narrative.Id).Take(MaxNear)];

    private static Verdict Compare(string what, JsonElement? found, Operator @operator, JsonElement? value, Regex? pattern, RuleInput input)
    {
        // What isn't there is nothing, not null; and null is as if it weren't there.
        var actual = found is { ValueKind: JsonValueKind.Null } ? null : found;
        var held = Holds(actual, @operator, value, pattern, input);
        var word = JsonNamingPolicy.SnakeCaseLower.ConvertName(@operator.ToString());
        return new Verdict(held, $"{what} {word}{(value is { } wanted ? $" {wanted.GetRawText()}" : "")}: it is {(actual is { } there ? Text.Shorten(there.GetRawText()) : "missing")}", []);
    }

    private static bool Holds(JsonElement? found, Operator @operator, JsonElement? value, Regex? pattern, RuleInput input)
    {
        if (found is not { } actual)
        {
            return @operator == Operator.NotExists;
        }

        var wanted = value ?? default;
        return @operator switch
        {
            Operator.Exists => true,
            Operator.NotExists => false,
            Operator.Equals => JsonElement.DeepEquals(actual, wanted),
            Operator.NotEquals => !JsonElement.DeepEquals(actual, wanted),
            Operator.Greater => NumberOf(actual) > NumberOf(wanted),
            Operator.GreaterOrEqual => NumberOf(actual) >= NumberOf(wanted),
            Operator.Less => NumberOf(actual) < NumberOf(wanted),
            Operator.LessOrEqual => NumberOf(actual) <= NumberOf(wanted),
            Operator.Contains => Contains(actual, wanted),
            Operator.In => Contains(wanted, actual),
            Operator.Matches => actual.ValueKind == JsonValueKind.String && pattern!.IsMatch(actual.GetString()!),
            Operator.WithinMinutes => actual.ValueKind == JsonValueKind.String && Moment.Read(actual.GetString()!, input.UserZone) is { } at
                && (at.At - input.Clock().At).Duration() <= TimeSpan.FromMinutes(wanted.GetDouble()),
            _ => throw new ArgumentOutOfRangeException(nameof(@operator)),
        };
    }

    /// <summary>A list an item, a text a part, an object a name.</summary>
    private static bool Contains(JsonElement whole, JsonElement part) => whole.ValueKind switch
    {
        JsonValueKind.Array => whole.EnumerateArray().Any(item => JsonElement.DeepEquals(item, part)),
        JsonValueKind.String => part.ValueKind == JsonValueKind.String && whole.GetString()!.Contains(part.GetString()!, StringComparison.Ordinal),
        JsonValueKind.Object => part.ValueKind == JsonValueKind.String && whole.TryGetProperty(part.GetString()!, out _),
        _ => false,
    };

    private static Verdict JudgeTime(TimeCheck check, RuleInput input)
    {
        var (at, hasZone) = input.Clock();
        if (check.Zone is { } zone && hasZone)
        {
            at = TimeZoneInfo.ConvertTime(at, input.ZoneOf(zone));
        }

        var held = (check.Period is null || check.Period == PeriodOf(at))
            && (check.Hours is not { } hours || IsWithin(at.Hour, hours.From, hours.To))
            && (check.Days is not { } days || days.Contains(at.DayOfWeek));
        return new Verdict(held, $"time {Wanted(check)}: it is {at.ToString("dddd HH:mm", CultureInfo.InvariantCulture)}", []);
    }

    private static string Wanted(TimeCheck check) => string.Join(", ", new[]
    {
        check.Period, check.Hours is { } hours ? $"{hours.From}-{hours.To} h" : null, check.Days is { } days ? string.Join("|", days) : null, check.Zone,
    }.Where(part => part is not null));

    private static bool IsWithin(int hour, int from, int to) => from <= to ? from <= hour && hour < to : hour >= from || hour < to;

    /// <summary>The part of the day, as <see cref="TimeCheck.Period"/> names it.</summary>
    public static string PeriodOf(DateTimeOffset at) =>
        IsWithin(at.Hour, 5, 12) ? "morning" : IsWithin(at.Hour, 12, 17) ? "afternoon" : IsWithin(at.Hour, 17, 21) ? "evening" : "night";

    /// <summary>A number, also where it is written as a text.</summary>
    public static double? NumberOf(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null
        : TraitFold.Number(value);

    private static Suggested Fill(Suggestion suggestion, string rule, double weight, RuleInput input)
    {
        var parameters = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var parameter in suggestion.Parameters)
        {
            if (Value(parameter, input) is { } value)
            {
                parameters[parameter.Name] = value;
            }
        }

        string Filled(string text) => Placeholders.Braces().Replace(text, placeholder =>
            (parameters.TryGetValue(placeholder.Groups[1].Value, out var value) ? value : input.Traits.Find(placeholder.Groups[1].Value)) is { } found ? Said(found) : placeholder.Value);

        var duration = suggestion.DurationMinutes is { } lasting ? Value(lasting, input) : parameters.TryGetValue("duration_minutes", out var given) ? given : null;
        return new Suggested(
            suggestion.Type, Filled(suggestion.Title), Filled(suggestion.Description), suggestion.Priority, suggestion.Metadata, parameters, rule, weight, duration, suggestion.Action);
    }

    private static JsonElement? Value(Parameter parameter, RuleInput input)
    {
        var found = parameter.Origin switch
        {
            Origin.Trait => input.Traits.Find(parameter.Path!) ?? parameter.Value,
            Origin.Context => TraitFacts.Below(input.Context, parameter.Path!) ?? parameter.Value,
            _ => parameter.Value,
        };
        return found is not { } value ? null : parameter.Transform switch
        {
            "minutes_to_hours" when NumberOf(value) is { } minutes => JsonSerializer.SerializeToElement(string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:0.0} hours")),
            "capitalize" => JsonSerializer.SerializeToElement(Said(value) is { Length: > 0 } text ? char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant() : ""),
            "lower" => JsonSerializer.SerializeToElement(Said(value).ToLowerInvariant()),
            _ => value,
        };
    }

    /// <summary>A value in words.</summary>
    internal static string Said(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Said)),
        JsonValueKind.Number when TraitFold.Number(value) is { } number => Math.Round(number, 2).ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}

/// <summary>Times as people write them.</summary>
public static class Moment
{
    /// <summary>What names no zone is as the clock there shows it.</summary>
    public static (DateTimeOffset At, bool HasZone)? Read(string text, TimeZoneInfo zone)
    {
        if (!DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var clock))
        {
            return null;
        }

        return clock.Kind == DateTimeKind.Unspecified
            ? (new DateTimeOffset(clock, zone.GetUtcOffset(clock)), false)
            : (DateTimeOffset.Parse(text, CultureInfo.InvariantCulture), true);
    }
}
