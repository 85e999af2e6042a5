using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>A mapper as it is applied, whichever dialect it was written in.</summary>
/// <param name="TraitMappings">By type of suggestion, the traits that its feedback is about.</param>
public sealed record MapperConfig(
    string Id, string Name, int DefaultTtlHours, IReadOnlyList<string> RequiredTraits, FrozenDictionary<string, IReadOnlyList<string>> TraitMappings,
    IReadOnlyList<MapperRule> Rules, FeedbackSettings Feedback)
{
    /// <summary>What feedback on a type of suggestion is about: as the mapper says, or else what the rules that make it look at.</summary>
    public IReadOnlyList<string> TraitsOf(string suggestionType) => TraitMappings.TryGetValue(suggestionType, out var mapped)
        ? mapped
        : [.. Rules.Where(rule => rule.Suggestions.Any(suggestion => suggestion.Type == suggestionType)).SelectMany(rule => rule.Condition.Traits).Distinct(StringComparer.Ordinal)];

    /// <summary>What its rules ask of narratives.</summary>
    public IEnumerable<NarrativeCheck> NarrativeChecks => Rules.SelectMany(rule => rule.Condition.Narratives).Distinct();

    public bool Asks(string prefix) => Rules.Any(rule =>
        rule.Condition.Traits.Concat(rule.Suggestions.SelectMany(suggestion => suggestion.Traits)).Any(path => path.StartsWith(prefix, StringComparison.Ordinal)));
}

public sealed record MapperRule(string Id, double Weight, Condition Condition, IReadOnlyList<Suggestion> Suggestions);

/// <param name="Window">How far back not-helpful answers are counted.</param>
public sealed record FeedbackSettings(int Threshold, TimeSpan Window, double Up, double Down, double Min, double Max)
{
    public static readonly FeedbackSettings Default = new(5, TimeSpan.FromDays(7), 1.1, .8, .1, 2);
}

/// <summary>What a rule suggests when its condition holds.</summary>
public sealed record Suggestion(
    string Type, string Title, string Description, string Priority, JsonElement Metadata, IReadOnlyList<Parameter> Parameters, Parameter? DurationMinutes, JsonElement? Action)
{
    public IEnumerable<string> Traits => Parameters.Append(DurationMinutes).Where(parameter => parameter is { Origin: Origin.Trait }).Select(parameter => parameter!.Path!)
        .Concat(Placeholders.In(Title)).Concat(Placeholders.In(Description));
}

public enum Origin
{
    Literal,
    Trait,
    Context,
}

/// <param name="Value">The literal, or what holds where the path leads nowhere.</param>
public sealed record Parameter(string Name, Origin Origin, string? Path, JsonElement? Value, string? Transform);

public enum Operator
{
    Equals,
    NotEquals,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    In,
    Exists,
    NotExists,
    Matches,
    WithinMinutes,
}

/// <summary>When a rule fires.</summary>
public abstract record Condition
{
    /// <summary>The paths of the traits that it looks at.</summary>
    public virtual IEnumerable<string> Traits => [];

    /// <summary>What it asks of narratives.</summary>
    public virtual IEnumerable<NarrativeCheck> Narratives => [];

    /// <summary>It moves with the clock, also for who gives no context.</summary>
    public virtual bool IsOfTheMoment => false;
}

/// <summary>True when empty.</summary>
public sealed record All(IReadOnlyList<Condition> Of) : Condition
{
    public override IEnumerable<string> Traits => Of.SelectMany(condition => condition.Traits);

    public override IEnumerable<NarrativeCheck> Narratives => Of.SelectMany(condition => condition.Narratives);

    public override bool IsOfTheMoment => Of.Any(condition => condition.IsOfTheMoment);
}

/// <summary>False when empty.</summary>
public sealed record Any(IReadOnlyList<Condition> Of) : Condition
{
    public override IEnumerable<string> Traits => Of.SelectMany(condition => condition.Traits);

    public override IEnumerable<NarrativeCheck> Narratives => Of.SelectMany(condition => condition.Narratives);

    public override bool IsOfTheMoment => Of.Any(condition => condition.IsOfTheMoment);
}

public sealed record Not(Condition Of) : Condition
{
    public override IEnumerable<string> Traits => Of.Traits;

    public override IEnumerable<NarrativeCheck> Narratives => Of.Narratives;

    public override bool IsOfTheMoment => Of.IsOfTheMoment;
}

/// <param name="Pattern">Of <see cref="Operator.Matches"/>.</param>
public sealed record TraitCheck(string Path, Operator Operator, JsonElement? Value, Regex? Pattern = null) : Condition
{
    public override IEnumerable<string> Traits => [Path];

    public override bool IsOfTheMoment => Operator == Operator.WithinMinutes;
}

/// <param name="Pattern">Of <see cref="Operator.Matches"/>.</param>
public sealed record ContextCheck(string Path, Operator Operator, JsonElement? Value, Regex? Pattern = null) : Condition;

/// <summary>True if anything that the person said is that near.</summary>
/// <param name="Threshold">On the scale that all thresholds are said in.</param>
public sealed record NarrativeCheck(string Query, double Threshold, int Limit, NarrativeType? Type) : Condition
{
    public override IEnumerable<NarrativeCheck> Narratives => [this];
}

/// <param name="Hours">From and to, which may wrap around midnight.</param>
/// <param name="Zone">An IANA name, or <see cref="UserLocal"/>; as the clock was given where there is none.</param>
public sealed record TimeCheck(string? Period, (int From, int To)? Hours, IReadOnlyList<DayOfWeek>? Days, string? Zone) : Condition
{
    public const string UserLocal = "user_local";

    public override bool IsOfTheMoment => true;
}
