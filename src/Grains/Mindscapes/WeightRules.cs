using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>How feedback moves the weights of rules.</summary>
public static class WeightRules
{
    private static readonly TimeSpan DownAtMostEvery = TimeSpan.FromDays(1);

    /// <summary>What feedback made of a rule. What it made of a weight that somebody has set anew since counts no longer.</summary>
    public static RuleWeight? Current(MapperView mapper, MapperConfig config, string rule) =>
        mapper.Weights.TryGetValue(rule, out var weight) && config.Rules.FirstOrDefault(known => known.Id == rule) is { } known && known.Weight == weight.OriginalWeight
            ? weight
            : null;

    public static RuleWeight Fresh(double weight) => new(weight, weight, false, null, null, null);

    /// <summary>What one answer makes of a weight; nothing, often.</summary>
    /// <param name="ofRule">Everything that was said of the rule until then, this too.</param>
    public static RuleWeight? After(RuleWeight weight, RuleFeedback answer, IEnumerable<RuleFeedback> ofRule, FeedbackSettings settings)
    {
        if (weight.IsLocked || answer.Helpful is not { } helpful)
        {
            return null;
        }

        if (helpful)
        {
            return Adjusted(weight, Math.Min(weight.Weight * settings.Up, settings.Max), answer.At, "Somebody found its suggestion helpful.");
        }

        var since = weight.LoweredAt is { } lowered && lowered > answer.At - settings.Window ? lowered : answer.At - settings.Window;
        var against = ofRule.Count(other => other.Helpful is false && other.At > since);
        return against < settings.Threshold || weight.LoweredAt + DownAtMostEvery > answer.At
            ? null
            : Adjusted(weight, Math.Max(weight.Weight * settings.Down, settings.Min), answer.At, $"{against} found its suggestion not helpful within {settings.Window.TotalDays:0.#} days.") is { } down
                ? down with { LoweredAt = answer.At }
                : null;
    }

    private static RuleWeight? Adjusted(RuleWeight weight, double next, DateTimeOffset at, string reason)
    {
        next = Math.Round(next, 4);
        return next == weight.Weight ? null : weight with { Weight = next, LastAdjusted = at, AdjustmentReason = reason };
    }
}
