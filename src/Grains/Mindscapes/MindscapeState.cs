using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>A mindscape as its grain holds it, and its other shapes: what GET answers, its row, and the rows of its history.</summary>
/// <param name="Applied">The number up to which everything is in the traits.</param>
public sealed record MindscapeState(
    Guid Person, ImmutableDictionary<string, Trait> Traits, long Version, long LastNumber, long Applied, bool IsPaused, long RowVersion, DateTimeOffset UpdatedAt, long Seq)
{
    public MindscapeView View => new(Person, Traits, Version, IsPaused, UpdatedAt);

    public MindscapeRow ToRow() => new(TraitJson.Write(Traits), Version, LastNumber, Applied, IsPaused, RowVersion, UpdatedAt, Seq);

    public static MindscapeState From(Guid person, MindscapeRow row) => new(
        person, TraitJson.Read(row.Traits), row.Version, row.LastNumber, row.AppliedNumber, row.IsPaused, row.RowVersion, row.UpdatedAt, row.Seq);

    /// <summary>The version that an entry made.</summary>
    public static MindscapeVersion ToVersion(MindscapeEntry entry, IEnumerable<TraitChange> changes) => new(
        entry.Number, Cause(entry), JsonText.From(changes.GroupBy(change => change.Path, StringComparer.Ordinal).ToDictionary(
            path => path.Key,
            // Said twice in one entry, it changed from before the first to after the last.
            path => new { path.First().Before, path.Last().After, path.Last().Input })),
        entry.SeenAt, entry.CreatedAt);

    public static JsonText Cause(MindscapeEntry entry) => JsonText.From(new { entry.Kind, entry.Id, entry.Number, entry.Type, entry.Source });

    /// <summary>What an event says of a change: the merge patch, the paths, and what caused it.</summary>
    public static JsonText Told(MindscapeState before, MindscapeState after, IEnumerable<string> paths, IEnumerable<MindscapeEntry> causes)
    {
        var told = JsonNode.Parse(MergePatch.Between(before.View, after.View).Json)!.AsObject();
        // Also where two changes fell into one moment.
        told["changes"]!["updatedAt"] = JsonSerializer.SerializeToNode(after.View.UpdatedAt, Wire.Json);
        told["paths"] = new JsonArray([.. paths.Distinct(StringComparer.Ordinal).Select(path => JsonValue.Create(path))]);
        told["causes"] = new JsonArray([.. causes.Select(cause => JsonNode.Parse(Cause(cause).Json))]);
        return new JsonText(told.ToJsonString(Wire.Json));
    }
}
