using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>One of the entries that made a trait what it is.</summary>
/// <param name="Input">What it said.</param>
/// <param name="Share">Of a number: shares times inputs sum to the value. None where entries decided, or are parts of a list.</param>
public sealed record TraitShare(
    Guid Id, long Number, string Kind, string Type, string? Source, JsonText? Input, double? Share, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt);

/// <summary>Why a trait is what it is, from all that was recorded.</summary>
public static class TraitOrigin
{
    /// <returns>In their numbering; none if the trait isn't known.</returns>
    public static List<TraitShare> Of(string path, IEnumerable<MindscapeEntry> entries)
    {
        var parts = new List<Part>();
        Trait? now = null;
        foreach (var (entry, changes) in TraitFold.Fold(TraitFold.Nothing, entries).Changes)
        {
            foreach (var change in changes.Where(change => change.Path == path))
            {
                now = change.After;
                var isWeight = change.Input is null && change.Effect == TraitEffect.Agreed;
                if (change.Effect == TraitEffect.Won)
                {
                    // Whatever was said before no longer shows in the value, only in how often something was said.
                    parts = [new Part(entry, change.Input ?? change.After?.Value, change.After?.SampleSize ?? 0)];
                }
                else if (change.Effect == TraitEffect.Averaged)
                {
                    // Samples whose value lost count in the mean that was there.
                    var scale = change.Before!.SampleSize / parts.Sum(part => part.Samples);
                    parts = [.. parts.Select(part => part with { Samples = part.Samples * scale }), new Part(entry, change.Input, 1)];
                }
                else if (isWeight || change.Effect == TraitEffect.Agreed || IsNew(change))
                {
                    parts.Add(new Part(entry, change.Input, isWeight ? 0 : 1));
                }
            }
        }

        if (now is null)
        {
            return [];
        }

        var isNumber = TraitFold.Number(JsonElement.Parse(now.Value.Json)) is not null;
        var all = parts.Sum(part => part.Samples);
        return parts.ConvertAll(part => new TraitShare(
            part.Entry.Id, part.Entry.Number, part.Entry.Kind, part.Entry.Type, part.Entry.Source, part.Input,
            isNumber && part.Samples > 0 ? part.Samples / all : null, part.Entry.SeenAt, part.Entry.CreatedAt));
    }

    private sealed record Part(MindscapeEntry Entry, JsonText? Input, double Samples);

    /// <summary>It brought something into the list.</summary>
    private static bool IsNew(TraitChange change) => change.Effect == TraitEffect.United && change.Before!.Value != change.After!.Value;
}
