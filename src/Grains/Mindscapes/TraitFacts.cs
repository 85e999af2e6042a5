using System.Collections.Immutable;
using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// Traits as rules read them: a path is an exact trait; else below the longest trait that it begins with; else it is looked for
/// in nested form. What ends at {value, …} is that value. Beside the traits there are views derived from them.
/// </summary>
public sealed class TraitFacts
{
    private static readonly (string Name, double From, double To)[] Parts = [("morning", 6, 12), ("afternoon", 12, 18), ("evening", 18, 23)];

    private readonly Dictionary<string, JsonElement> _flat = new(StringComparer.Ordinal);

    /// <param name="focusDurations">What was said of the focus duration lately, for its quantiles.</param>
    public TraitFacts(ImmutableDictionary<string, Trait> traits, IReadOnlyList<double> focusDurations)
    {
        foreach (var (path, trait) in traits)
        {
            _flat[path] = JsonElement.Parse(trait.Value.Json);
        }

        foreach (var (part, isHigh) in EnergyByPart())
        {
            _flat.TryAdd($"{TraitExtraction.EnergyPatterns}.{part}", JsonSerializer.SerializeToElement(isHigh ? "high" : "low"));
        }

        if (focusDurations.Count > 0)
        {
            var sorted = focusDurations.Order().ToList();
            _flat.TryAdd($"{TraitExtraction.FocusDuration}.p50", JsonSerializer.SerializeToElement(Quantile(sorted, .5)));
            _flat.TryAdd($"{TraitExtraction.FocusDuration}.p90", JsonSerializer.SerializeToElement(Quantile(sorted, .9)));
        }
    }

    public JsonElement? Find(string path)
    {
        if (_flat.TryGetValue(path, out var exact))
        {
            return Leaf(exact);
        }

        for (var dot = path.LastIndexOf('.'); dot > 0; dot = path.LastIndexOf('.', dot - 1))
        {
            if (_flat.TryGetValue(path[..dot], out var prefix))
            {
                return Below(Leaf(prefix), path[(dot + 1)..]);
            }
        }

        return null;
    }

    public double? Number(string path) => Find(path) is { } found ? TraitFold.Number(found) : null;

    public string? Word(string path) => Find(path) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

    /// <summary>Hours of the day, from and to.</summary>
    public IEnumerable<(double From, double To)> Slots(string path) => Find(path) is not { } found ? [] : SlotsIn(found);

    public static JsonElement? Below(JsonElement from, string path)
    {
        foreach (var step in path.Split('.'))
        {
            if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(step, out var next))
            {
                return null;
            }

            from = Leaf(next);
        }

        return from;
    }

    private static JsonElement Leaf(JsonElement found) =>
        found.ValueKind == JsonValueKind.Object && found.TryGetProperty("value", out var value) && found.TryGetProperty("confidence", out _) ? value : found;

    private List<(string Part, bool IsHigh)> EnergyByPart()
    {
        var slots = new[] { TraitExtraction.EnergyPatterns, TraitExtraction.PeakHours }.Select(path => Slots(path).ToList()).FirstOrDefault(found => found.Count > 0);
        return slots is null ? [] : [.. Parts.Select(part => (part.Name, slots.Any(slot => slot.From < part.To && slot.To > part.From)))];
    }

    /// <summary>Those in a list, and in an object those of lists that don't say that they are low.</summary>
    private static IEnumerable<(double From, double To)> SlotsIn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Slot(value.GetString()!) is { } slot ? [slot] : [],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(SlotsIn),
        JsonValueKind.Object => value.EnumerateObject().Where(part => !part.Name.Contains("low", StringComparison.OrdinalIgnoreCase)).SelectMany(part => SlotsIn(part.Value)),
        _ => [],
    };

    private static (double From, double To)? Slot(string text)
    {
        var ends = text.Split('-');
        return ends.Length == 2 && Hour(ends[0]) is { } from && Hour(ends[1]) is { } to && from < to ? (from, to) : null;
    }

    private static double? Hour(string text)
    {
        var parts = text.Trim().Split(':');
        return parts.Length == 2 && int.TryParse(parts[0], out var hour) && int.TryParse(parts[1], out var minute) && hour is >= 0 and <= 24 && minute is >= 0 and < 60
            ? hour + (minute / 60.0)
            : null;
    }

    /// <summary>Between the two nearest, in proportion.</summary>
    private static double Quantile(List<double> sorted, double at)
    {
        var place = at * (sorted.Count - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Count - 1);
        return Math.Round(sorted[below] + ((sorted[above] - sorted[below]) * (place - below)), 3);
    }
}
