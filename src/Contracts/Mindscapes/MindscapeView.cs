using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Mindscapes;

/// <summary>One thing that is known of a person, by a flat dotted path.</summary>
/// <param name="FirstSeen">By the time of those who saw it. Neither this nor <see cref="LastSeen"/> where somebody set a bare value.</param>
/// <param name="Weight">What feedback says of the suggestions that come from it.</param>
/// <param name="Source">Who said it, as they call themselves; none is the person. Of several the least to be trusted whose word is in the value.</param>
[GenerateSerializer, Immutable, Alias("trait")]
public sealed record Trait(
    [property: Id(0)] JsonText Value,
    [property: Id(1)] double Confidence,
    [property: Id(2)] int SampleSize,
    [property: Id(3)] DateTimeOffset? FirstSeen,
    [property: Id(4)] DateTimeOffset? LastSeen,
    [property: Id(5)] double Weight = 1,
    [property: Id(6)] string? Source = null)
{
    /// <summary>A value that was set without saying how well it is known: shown as it was set.</summary>
    public static Trait Bare(JsonText value) => new(value, 1, 1, null, null);

    [JsonIgnore]
    public bool IsBare => LastSeen is null;
}

/// <summary>What is known of a person, as GET answers it.</summary>
/// <param name="Version">The number of the entry that changed the traits last; 0 as long as none did.</param>
[GenerateSerializer, Immutable, Alias("mindscape-view")]
public sealed record MindscapeView(
    [property: Id(0)] Guid PersonId,
    [property: Id(1)] ImmutableDictionary<string, Trait> Traits,
    [property: Id(2)] long Version,
    [property: Id(3)] bool LearningPaused,
    [property: Id(4)] DateTimeOffset UpdatedAt);

/// <summary>What a mindscape brings to a prompt, as of one version.</summary>
/// <param name="FocusMinutes">What was said of the focus duration lately.</param>
[GenerateSerializer, Immutable, Alias("mindscape-side")]
public sealed record MindscapeSide([property: Id(0)] MindscapeView View, [property: Id(1)] Items<double>? FocusMinutes);

public static class MindscapeRefusals
{
    public const string LearningPaused = "learning_paused";
    public const string VersionConflict = "mindscape_version_conflict";
    public const string NoMapper = "no_active_mapper";
    public const string MissingTraits = "missing_traits";
    public const string RateLimited = "feedback_rate_limit";
    public const string InvalidMapper = "invalid_mapper";
    public const string MapperExists = "mapper_exists";
    public const string PersonaExpired = "persona_expired";
}
