using System.Collections.Immutable;
using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>How what came in changed a trait's value.</summary>
public enum TraitEffect
{
    /// <summary>It is the value now: of a new trait, or in place of another value.</summary>
    Won,

    /// <summary>It is part of the mean.</summary>
    Averaged,

    /// <summary>It is part of the list.</summary>
    United,

    /// <summary>It says what is known already.</summary>
    Agreed,

    /// <summary>What is known better stays.</summary>
    Lost,
}

/// <param name="Input">What came in; none where the trait was set, or only its weight moved.</param>
public sealed record TraitChange(string Path, Trait? Before, Trait? After, JsonText? Input, TraitEffect Effect);

/// <summary>What one entry did.</summary>
public sealed record EntryChanges(MindscapeEntry Entry, IReadOnlyList<TraitChange> Changes);

/// <summary>
/// A mindscape is the fold of all that was recorded of a person, in its numbering, and of nothing else: folded at once, in
/// parts, or anew, it comes out the same.
/// </summary>
public static class TraitFold
{
    public const int MaxTraits = 1000;
    public const int MaxItems = 24;
    public const double MaxWeight = 2;
    public const double MinWeight = .5;

    public static readonly ImmutableDictionary<string, Trait> Nothing = ImmutableDictionary.Create<string, Trait>(StringComparer.Ordinal);

    /// <returns>The traits, and what each entry that changed something changed.</returns>
    public static (ImmutableDictionary<string, Trait> Traits, List<EntryChanges> Changes) Fold(
        ImmutableDictionary<string, Trait> traits, IEnumerable<MindscapeEntry> entries)
    {
        var all = new List<EntryChanges>();
        foreach (var entry in entries)
        {
            (traits, var changes) = Apply(traits, entry);
            if (changes.Count > 0)
            {
                all.Add(new EntryChanges(entry, changes));
            }
        }

        return (traits, all);
    }

    private static (ImmutableDictionary<string, Trait> Traits, List<TraitChange> Changes) Apply(ImmutableDictionary<string, Trait> traits, MindscapeEntry entry) => entry.Kind switch
    {
        _ when entry.IsEcho => (traits, []),
        "observation" or "narrative" => Observe(traits, entry),
        "curation" => Correct(traits, entry),
        "traits" => Set(traits, entry),
        "feedback" => Weigh(traits, entry),
        _ => (traits, []),
    };

    private static (ImmutableDictionary<string, Trait> Traits, List<TraitChange> Changes) Observe(ImmutableDictionary<string, Trait> traits, MindscapeEntry entry)
    {
        var changes = new List<TraitChange>();
        foreach (var input in TraitExtraction.From(entry.Type, entry.Content))
        {
            var known = traits.GetValueOrDefault(input.Path);
            if (known is null && traits.Count >= MaxTraits)
            {
                continue;
            }

            var (merged, effect) = Merge(known, input, entry.SeenAt, entry.Source);
            traits = traits.SetItem(input.Path, merged);
            changes.Add(new TraitChange(input.Path, known, merged, input.Value, effect));
        }

        return (traits, changes);
    }

    /// <summary>One more sample of a trait. What feedback made of its weight stays.</summary>
    public static (Trait Trait, TraitEffect Effect) Merge(Trait? known, TraitInput input, DateTimeOffset seen, string? source = null)
    {
        if (known is null)
        {
            return (new Trait(input.Value, Rounded(input.Confidence), 1, seen, seen, Source: source), TraitEffect.Won);
        }

        var samples = known.SampleSize + 1;
        var (value, effect) = Merge(known, input, samples);
        return (new Trait(
            value, Rounded(((known.Confidence * known.SampleSize) + input.Confidence) / samples), samples,
            known.FirstSeen is { } first && first < seen ? first : seen, known.LastSeen is { } last && last > seen ? last : seen, known.Weight,
            SourceOf(effect, known.Source, source)), effect);
    }

    /// <summary>What is made of several is trusted no further than the least of them; what several say, as far as the best.</summary>
    private static string? SourceOf(TraitEffect effect, string? known, string? source) => effect switch
    {
        TraitEffect.Won => source,
        TraitEffect.Lost => known,
        TraitEffect.Agreed => ObservationRules.Trust(source) > ObservationRules.Trust(known) ? source : known,
        _ => ObservationRules.Trust(source) < ObservationRules.Trust(known) ? source : known,
    };

    private static (JsonText Value, TraitEffect Effect) Merge(Trait known, TraitInput input, int samples)
    {
        using var old = JsonDocument.Parse(known.Value.Json);
        using var now = JsonDocument.Parse(input.Value.Json);
        var isState = input.Path.StartsWith("current_state.", StringComparison.Ordinal);
        if (!isState && Number(old.RootElement) is { } mean && Number(now.RootElement) is { } number)
        {
            return (JsonText.From(((mean * known.SampleSize) + number) / samples), TraitEffect.Averaged);
        }

        if (!isState && old.RootElement.ValueKind == JsonValueKind.Array && now.RootElement.ValueKind == JsonValueKind.Array)
        {
            var items = old.RootElement.EnumerateArray().Concat(now.RootElement.EnumerateArray()).Select(item => item.GetRawText())
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxItems);
            return (new JsonText($"[{string.Join(',', items)}]"), TraitEffect.United);
        }

        return JsonElement.DeepEquals(old.RootElement, now.RootElement) ? (known.Value, TraitEffect.Agreed)
            : isState || input.Confidence >= known.Confidence ? (input.Value, TraitEffect.Won)
            : (known.Value, TraitEffect.Lost);
    }

    /// <summary>The traits are set as a whole: what isn't named is no longer known.</summary>
    private static (ImmutableDictionary<string, Trait> Traits, List<TraitChange> Changes) Set(ImmutableDictionary<string, Trait> traits, MindscapeEntry entry)
    {
        var next = TraitJson.Given(entry.Content, traits, entry.SeenAt);
        var changes = traits.Where(known => !next.ContainsKey(known.Key)).Select(known => new TraitChange(known.Key, known.Value, null, null, TraitEffect.Won))
            .Concat(next.Where(set => traits.GetValueOrDefault(set.Key) != set.Value)
                .Select(set => new TraitChange(set.Key, traits.GetValueOrDefault(set.Key), set.Value, null, TraitEffect.Won)))
            .OrderBy(change => change.Path, StringComparer.Ordinal).ToList();
        return (next, changes);
    }

    /// <summary>It is what somebody says it is. That weighs as much as all that was seen before, so that the next to come doesn't win it back.</summary>
    private static (ImmutableDictionary<string, Trait> Traits, List<TraitChange> Changes) Correct(ImmutableDictionary<string, Trait> traits, MindscapeEntry entry)
    {
        var (path, value) = entry.Content.Read<Correction>();
        var known = traits.GetValueOrDefault(path);
        if (known is null && traits.Count >= MaxTraits)
        {
            return (traits, []);
        }

        var corrected = new Trait(value, 1, known?.SampleSize ?? 1, known?.FirstSeen ?? entry.SeenAt, entry.SeenAt, known?.Weight ?? 1, entry.Source);
        return corrected == known ? (traits, []) : (traits.SetItem(path, corrected), [new TraitChange(path, known, corrected, value, TraitEffect.Won)]);
    }

    /// <summary>What the suggestions that come from these traits are worth to the person. By how much was decided when it was recorded.</summary>
    private static (ImmutableDictionary<string, Trait> Traits, List<TraitChange> Changes) Weigh(ImmutableDictionary<string, Trait> traits, MindscapeEntry entry)
    {
        var (paths, factor) = entry.Content.Read<TraitWeighing>();
        var changes = new List<TraitChange>();
        foreach (var path in paths)
        {
            if (traits.TryGetValue(path, out var known) && Math.Clamp(known.Weight * factor, MinWeight, MaxWeight) is var weight && weight != known.Weight)
            {
                var weighed = known with { Weight = Rounded(weight), FirstSeen = known.FirstSeen ?? entry.SeenAt, LastSeen = known.LastSeen ?? entry.SeenAt };
                traits = traits.SetItem(path, weighed);
                changes.Add(new TraitChange(path, known, weighed, null, TraitEffect.Agreed));
            }
        }

        return (traits, changes);
    }

    public static double? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && double.IsFinite(number) ? number : null;

    public static double? Number(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? Number(value) : null;

    private static double Rounded(double value) => Math.Round(value, 3, MidpointRounding.AwayFromZero);
}

/// <summary>What an entry of feedback holds.</summary>
public sealed record TraitWeighing(IReadOnlyList<string> Traits, double Factor);
