using System.Text.Json.Serialization;

namespace PersonaActors.Gateway.Realtime;

/// <summary>One stream of a Subscribe: from after <see cref="After"/> of that epoch, or from now on.</summary>
public sealed record StreamRequest(string? Stream, string? Epoch = null, long? After = null);

public sealed record StreamRefusal(string Code, string Detail)
{
    /// <summary>In how many seconds to try again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RetryAfter { get; init; }

    public static StreamRefusal SlowDown(int seconds) =>
        new("slow_down", $"These are more calls than allowed, or too many streams that aren't there: try again in {seconds} s.") { RetryAfter = seconds };

    public static readonly StreamRefusal BadCursor = new("invalid_cursor", "'after' is the number of an event: 0 or more.");
    public static readonly StreamRefusal Unavailable = new("database_unavailable", "The database can't be reached at the moment. Try again.");
}

/// <summary>
/// What Subscribe says of a stream: where it stands and how much is coming first, or the state to start from, or why not.
/// Events may overtake the answer: those up to its number are part of what it says.
/// </summary>
public sealed record StreamAnswer
{
    public required string Stream { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Epoch { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Seq { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Replayed { get; init; }

    /// <summary>Its events carry a version in place of a number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Derived { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Reset { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Oldest { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Newest { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonText? State { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StreamRefusal? Refused { get; init; }

    public static StreamAnswer No(string? stream, StreamRefusal refusal) => new() { Stream = stream ?? "", Refused = refusal };
}
