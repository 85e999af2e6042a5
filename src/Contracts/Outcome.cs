using PersonaActors.Contracts.Events;

namespace PersonaActors.Contracts;

public enum OutcomeKind
{
    Refused,
    Done,
    Created,
    Deleted,
}

/// <summary>The closed answer of a command: done with a value, or refused with a reason. Bugs and lost databases are exceptions instead.</summary>
/// <param name="At">Where the stream that tells of it stood when it was done: what comes later is later than this answer.</param>
[GenerateSerializer, Immutable, Alias("outcome`1")]
public sealed record Outcome<T>(
    [property: Id(0)] OutcomeKind Kind,
    [property: Id(1)] T? Value,
    [property: Id(2)] Refusal? Refusal,
    [property: Id(3)] StreamCursor? At = null)
    where T : class
{
    public static Outcome<T> Done(T value) => new(OutcomeKind.Done, value, null);

    public static Outcome<T> Created(T value) => new(OutcomeKind.Created, value, null);

    public static Outcome<T> Deleted(T? value = null) => new(OutcomeKind.Deleted, value, null);

    public static implicit operator Outcome<T>(Refusal refusal) => new(OutcomeKind.Refused, null, refusal);

    public static Outcome<T> FromRefusal(Refusal refusal) => refusal;

    /// <summary>Nothing was changed, so it is as of the last event before.</summary>
    public Outcome<T> Since(string epoch, long seq) => this with { At = new StreamCursor(epoch, seq) };

    /// <summary>What was done is told by these events.</summary>
    public Outcome<T> After(IReadOnlyList<StreamEvent> events) => events.Count == 0 ? this : Since(events[^1].Epoch, events[^1].Seq);

    /// <summary>The same outcome, of what is shown of the value.</summary>
    public Outcome<TShown> Show<TShown>(Func<T, TShown> shown)
        where TShown : class => new(Kind, Value is null ? null : shown(Value), Refusal, At);
}

/// <summary>A position of a stream, as clients give it back.</summary>
[GenerateSerializer, Immutable, Alias("stream-cursor")]
public sealed record StreamCursor([property: Id(0)] string Epoch, [property: Id(1)] long Seq);

/// <summary>For commands whose answer is only that they happened.</summary>
[GenerateSerializer, Immutable, Alias("nothing")]
public sealed record Nothing
{
    public static readonly Nothing Value = new();
}

/// <summary>An entity as read, with the position of its stream at that moment: state plus the events after <see cref="Seq"/> is the state later.</summary>
[GenerateSerializer, Immutable, Alias("read`1")]
public sealed record Read<T>(
    [property: Id(0)] T Value,
    [property: Id(1)] string Epoch,
    [property: Id(2)] long Seq)
    where T : class;
