using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// What a mapper makes of what is known of a person, as a prompt has it. What holds whatever the clock says is
/// <see cref="Text"/>, and stays as it is as long as mindscape and mapper do. What hangs on the clock, and on what the person
/// said, is asked of each moment. A prompt has no context to give to rules: what they look for there is missing.
/// </summary>
public sealed class MindscapeOverlay
{
    private const int MaxKnown = 40;
    private static readonly JsonElement NoContext = JsonElement.Parse("{}");

    private readonly PreparedMindscape? _mindscape;
    private readonly MapperConfig? _lasting;
    private readonly MapperConfig? _momentary;
    private readonly IReadOnlyList<(double From, double To)> _peaks = [];
    private readonly IReadOnlyList<string> _missing = [];
    private int _tokens = -1;

    public MindscapeOverlay(string? text) => Text = text;

    /// <param name="mapper">One that has an active version.</param>
    public MindscapeOverlay(PreparedMindscape mindscape, PreparedMapper mapper)
    {
        (_mindscape, Mapper) = (mindscape, mapper);
        var config = mapper.Config!;
        _missing = [.. PersonaRules.Missing(config, mindscape.Facts)];
        if (mindscape.View.Version == 0 || _missing.Count > 0)
        {
            return;
        }

        _lasting = config with { Rules = [.. config.Rules.Where(rule => !IsOfTheMoment(rule))] };
        _momentary = config with { Rules = [.. config.Rules.Where(IsOfTheMoment)] };
        _peaks = [.. mindscape.Facts.Slots(TraitExtraction.PeakHours)];
        // No rule of these asks what time it is.
        Suggestions = [.. RuleEngine.Apply(_lasting, mapper.WeightOf, Input(default, TimeZoneInfo.Utc, null)).Suggestions.Select(KnownLines.Of)];
        Text = TextOf();
    }

    public PreparedMapper? Mapper { get; }

    /// <summary>Of the front; none where there is nothing to say.</summary>
    public string? Text { get; }

    /// <summary>Those of the front, a line each.</summary>
    public IReadOnlyList<string> Suggestions { get; } = [];

    /// <summary>Counted when a conversation has to fit beside it.</summary>
    public int Tokens => _tokens >= 0 ? _tokens : _tokens = Text is null ? 0 : TokenCount.Of(Text);

    /// <summary>What its rules ask of what the person said, which nobody knows without looking for it.</summary>
    public IEnumerable<NarrativeCheck> NarrativeChecks => _momentary?.NarrativeChecks ?? [];

    /// <param name="narratives">What was found for <see cref="NarrativeChecks"/>; null where it wasn't looked for: rules that ask don't fire then.</param>
    public IReadOnlyList<string> At(DateTimeOffset now, TimeZoneInfo zone, IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>? narratives)
    {
        if (_momentary is null || (_momentary.Rules.Count == 0 && _peaks.Count == 0))
        {
            return [];
        }

        var input = Input(now, zone, narratives);
        var hour = input.Clock().At.TimeOfDay.TotalHours;
        var (_, suggestions) = RuleEngine.Apply(Asked(_momentary, narratives), Mapper!.WeightOf, input);
        return
        [
            .. _peaks.Any(slot => slot.From <= hour && hour < slot.To) ? (string[])["This is one of the user's peak hours."] : [],
            .. suggestions.Select(KnownLines.Of),
        ];
    }

    /// <summary>Which rules fire at this moment, and why.</summary>
    public JsonText Explain(DateTimeOffset now, TimeZoneInfo zone, IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>? narratives)
    {
        var (rules, suggestions) = _lasting is null ? ([], []) : RuleEngine.Apply(Asked(Mapper!.Config!, narratives), Mapper.WeightOf, Input(now, zone, narratives));
        var explained = JsonNode.Parse(PersonaRules.Simulation(rules, _missing, suggestions, now).Json)!.AsObject();
        explained["mapper"] = Mapper?.View.Active is { } active ? new JsonObject { ["id"] = active.Id, ["configId"] = active.ConfigId, ["version"] = active.Version } : null;
        explained["mindscapeVersion"] = _mindscape?.View.Version;
        return new JsonText(explained.ToJsonString(Wire.Json));
    }

    private static bool IsOfTheMoment(MapperRule rule) => rule.Condition.IsOfTheMoment || rule.Condition.Narratives.Any();

    private static MapperConfig Asked(MapperConfig config, object? narratives) =>
        narratives is not null ? config : config with { Rules = [.. config.Rules.Where(rule => !rule.Condition.Narratives.Any())] };

    private RuleInput Input(DateTimeOffset now, TimeZoneInfo zone, IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>? narratives)
    {
        var input = new RuleInput(_mindscape!.Facts, NoContext, zone, now);
        return narratives is null ? input : input with { Narratives = narratives };
    }

    private string? TextOf()
    {
        var config = Mapper!.Config!;
        var asked = config.Rules.SelectMany(rule => rule.Condition.Traits.Concat(rule.Suggestions.SelectMany(suggestion => suggestion.Traits))).ToHashSet(StringComparer.Ordinal);
        var known = KnownLines.Sure(_mindscape!.View)
            .Where(trait => PersonaRules.IsOfCore(trait.Key) || asked.Any(path => path == trait.Key || path.StartsWith($"{trait.Key}.", StringComparison.Ordinal)))
            .Take(MaxKnown).OrderBy(trait => trait.Key, StringComparer.Ordinal)
            .Select(trait => KnownLines.Of(trait.Key, trait.Value)).ToList();
        string[] lines =
        [
            .. known.Count > 0 ? [$"What is known of the user, {KnownLines.Legend}:", .. known] : (string[])[],
            .. Suggestions.Count > 0 ? [$"Suggestions that follow from it ({KnownLines.OneLine(config.Name)}):", .. Suggestions] : (string[])[],
        ];
        return lines.Length == 0 ? null : string.Join('\n', lines);
    }
}
