namespace PersonaActors.Contracts;

public enum OutcomeKind
{
    Refused,
    Done,
    Created,
    Deleted,
}

/// <summary>The closed answer of a command: done with a value, or refused with a reason. Bugs and lost databases are exceptions instead.</summary>
[GenerateSerializer, Immutable, Alias("outcome`1")]
public sealed record Outcome<T>(
    [property: Id(0)] OutcomeKind Kind,
    [property: Id(1)] T? Value,
    [property: Id(2)] Refusal? Refusal)
    where T : class
{
    public static Outcome<T> Done(T value) => new(OutcomeKind.Done, value, null);

    public static Outcome<T> Created(T value) => new(OutcomeKind.Created, value, null);

    public static Outcome<T> Deleted(T? value = null) => new(OutcomeKind.Deleted, value, null);

    public static implicit operator Outcome<T>(Refusal refusal) => new(OutcomeKind.Refused, null, refusal);

    public static Outcome<T> FromRefusal(Refusal refusal) => refusal;
}

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
