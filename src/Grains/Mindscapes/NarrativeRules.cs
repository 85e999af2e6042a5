using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What may be said of a person in words, and what follows from it.</summary>
public static partial class NarrativeRules
{
    public const int MaxText = 10_000;
    public const int MaxQuery = 1_000;
    public const int MaxContext = 32_768;
    public const int MaxTags = 20;
    public const int MaxTag = 50;

    /// <summary>So many tags are made of a text that comes with none.</summary>
    private const int TagsOfText = 5;
    private const int LeastTag = 4;

    /// <summary>Numbers that differ by less say the same.</summary>
    private const double SameNumber = .1;

    public static Refusal? Check(NewNarrative given) =>
        Text.CheckRequired("text", given.Text, MaxText)
        ?? CheckTags(given.Tags)
        ?? Text.CheckJson("context", given.Context, null, JsonValueKind.Object, MaxContext)
        ?? Text.CheckOptional("source", given.Source, 50)
        ?? ObservationRules.CheckClientId(given.ClientId)
        ?? CheckOrigin(given.Origin)
        ?? (given.Type == NarrativeType.Curation ? CheckCuration(given) : CheckSelfObservation(given));

    private static Refusal? CheckOrigin(NarrativeOrigin? origin) =>
        Text.CheckOptional("curatedText", origin?.CuratedText, MaxText)
        ?? (origin?.Links.Count > ObservationRules.MaxTraits ? Refusal.Invalid("links", $"It has {origin.Links.Count} links to traits; at most {ObservationRules.MaxTraits} are allowed.") : null)
        ?? origin?.Links.Select(link => Text.CheckRequired("links", link.TraitPath, ObservationRules.MaxPath)).FirstOrDefault(refusal => refusal is not null);

    public static Refusal? Check(NarrativeChange change) =>
        (change.Text is null ? null : Text.CheckRequired("text", change.Text, MaxText))
        ?? Text.CheckOptional("curatedText", change.CuratedText, MaxText)
        ?? CheckTags(change.Tags)
        ?? Text.CheckJson("context", change.Context, null, JsonValueKind.Object, MaxContext);

    private static Refusal? CheckTags(Items<string>? tags) =>
        tags is { Count: > MaxTags }
            ? Refusal.Invalid("tags", $"'tags' has {tags.Count} tags; at most {MaxTags} are allowed.")
            : tags?.Select(tag => Text.CheckRequired("tags", tag, MaxTag)).FirstOrDefault(refusal => refusal is not null);

    private static Refusal? CheckCuration(NewNarrative given) =>
        Text.CheckRequired("traitPath", given.TraitPath, ObservationRules.MaxPath)
        ?? (given.Action is null ? Refusal.Invalid("action", "'action' is correct, expand or clarify.") : null)
        ?? (given.OriginalValue is null ? Refusal.Invalid("originalValue", "'originalValue' is required: what the trait was when it was curated.") : null)
        ?? (given.Traits is not null ? Refusal.Invalid("traits", "A curation is about the trait that it names: 'traits' is a self-observation's.") : null)
        ?? CheckValue("originalValue", given.OriginalValue)
        ?? CheckValue("value", given.Value);

    private static Refusal? CheckSelfObservation(NewNarrative given) =>
        given.TraitPath is not null || given.Action is not null || given.OriginalValue is not null || given.Value is not null
            ? Refusal.Invalid("traitPath", "'traitPath', 'action', 'originalValue' and 'value' are a curation's.")
            : given.Traits is null ? null
            : Text.CheckJson("traits", given.Traits, null, JsonValueKind.Object, ObservationRules.MaxContent)
                ?? ObservationRules.CheckTraits("traits", JsonElement.Parse(given.Traits.Json), ObservationRules.MaxTraits);

    private static Refusal? CheckValue(string field, JsonText? value) =>
        value?.Json.Length > ObservationRules.MaxValue ? Refusal.Invalid(field, $"'{field}' has more than {ObservationRules.MaxValue:N0} characters of JSON.") : null;

    /// <summary>A text as it is compared with others: neither case nor space makes another of it.</summary>
    public static byte[] Said(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(Spaces().Replace(text.Trim(), " ").ToLowerInvariant()));

    /// <summary>
    /// Whether what a source says was said before in its own right.
    /// </summary>
    public static NarrativeView? Echoed(IEnumerable<NarrativeView> before, string? source) =>
        before.FirstOrDefault(earlier => ObservationRules.MayEcho(source) && ObservationRules.Trust(earlier.Source) >= ObservationRules.Trust(source));

    /// <summary>The words that a text has most often, the first ones first where it has them as often.</summary>
    public static Items<string> TagsOf(string text) => Words().Matches(text.ToLowerInvariant()).Select(match => match.Value)
        .Where(word => word.Length is >= LeastTag and <= MaxTag && !StopWords.All.Contains(word))
        .Index().GroupBy(word => word.Item, StringComparer.Ordinal)
        .OrderByDescending(word => word.Count()).ThenBy(word => word.First().Index)
        .Take(TagsOfText).Select(word => word.Key).ToItems();

    /// <summary>What is folded into the traits because of it, under its own id; none where it says nothing of them.</summary>
    /// <param name="observedAt">When it was said, of one that is taken over.</param>
    public static MindscapeEntry? Entry(Guid id, long number, NewNarrative given, DateTimeOffset? observedAt, DateTimeOffset now) =>
        given is { Type: NarrativeType.Curation, Action: CurationAction.Correct }
            ? new MindscapeEntry(id, number, "curation", "correct", JsonText.From(new Correction(given.TraitPath!, CorrectedValue(given))), JsonText.EmptyObject, given.Source, null, false, observedAt, now)
        : given.Traits is { } traits
            ? new MindscapeEntry(id, number, "narrative", "self_observation", JsonText.From(new { traits }), JsonText.EmptyObject, given.Source, null, false, observedAt, now)
        : null;

    /// <summary>As it is given; else what the text says, as the kind of value that it replaces: the one number in it, yes or no, or its words.</summary>
    public static JsonText CorrectedValue(NewNarrative given)
    {
        if (given.Value is { } value)
        {
            return value;
        }

        var text = given.Text.Trim();
        return JsonElement.Parse(given.OriginalValue!.Json).ValueKind switch
        {
            JsonValueKind.Number when Numbers().Matches(text) is [{ } number] => JsonText.From(double.Parse(number.Value, CultureInfo.InvariantCulture)),
            JsonValueKind.True or JsonValueKind.False when text.ToLowerInvariant() is "true" or "yes" or "false" or "no" => JsonText.From(text.ToLowerInvariant() is "true" or "yes"),
            JsonValueKind.Array => JsonText.From((string[])[text]),
            _ => JsonText.From(text),
        };
    }

    /// <summary>What it has to do with traits: curated, taken from it, and whether it agreed with what was known.</summary>
    public static Items<TraitLink> Links(NewNarrative given, IReadOnlyList<EntryChanges> changes)
    {
        if (given.Origin is { Links: { Count: > 0 } before })
        {
            return before;
        }

        if (given.Type == NarrativeType.Curation)
        {
            return [new TraitLink(given.TraitPath!, TraitLinkType.Curates, 1)];
        }

        var links = new List<TraitLink>();
        var inputs = TraitExtraction.From("", JsonText.From(new { traits = given.Traits }));
        foreach (var change in changes.SelectMany(entry => entry.Changes).DistinctBy(change => change.Path))
        {
            var confidence = inputs.First(input => input.Path == change.Path).Confidence;
            links.Add(new TraitLink(change.Path, TraitLinkType.ExtractedFrom, confidence));
            if (change.Before is { } known)
            {
                links.Add(new TraitLink(change.Path, Agrees(change, known) ? TraitLinkType.Supports : TraitLinkType.Contradicts, confidence));
            }
        }

        return links.ToItems();
    }

    private static bool Agrees(TraitChange change, Trait known) => change.Effect switch
    {
        TraitEffect.Agreed or TraitEffect.United => true,
        TraitEffect.Averaged => TraitFold.Number(JsonElement.Parse(known.Value.Json)) is { } mean && TraitFold.Number(JsonElement.Parse(change.Input!.Json)) is { } said
            && Math.Abs(said - mean) <= SameNumber * Math.Abs(mean),
        _ => false,
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\p{L}[\p{L}\p{N}'-]*")]
    private static partial Regex Words();

    [GeneratedRegex(@"-?\d+(\.\d+)?")]
    private static partial Regex Numbers();
}

/// <summary>What an entry of a curation that corrects holds.</summary>
public sealed record Correction(string Path, JsonText Value);
