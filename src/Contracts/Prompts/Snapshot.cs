namespace PersonaActors.Contracts.Prompts;

public enum SnapshotKind
{
    Missing,
    Unchanged,
    Fresh,
}

/// <summary>
/// What a grain answers to whoever remembers a version of its entity: nothing to learn, the entity as last committed, or that there is none.
/// </summary>
[GenerateSerializer, Immutable, Alias("snapshot`1")]
public sealed record Snapshot<T>([property: Id(0)] SnapshotKind Kind, [property: Id(1)] T? Value)
    where T : class
{
    public static readonly Snapshot<T> Missing = new(SnapshotKind.Missing, null);

    public static readonly Snapshot<T> Unchanged = new(SnapshotKind.Unchanged, null);

    private static readonly ValueTask<Snapshot<T>> NothingNew = new(Task.FromResult(Unchanged));

    public static Snapshot<T> Fresh(T value) => new(SnapshotKind.Fresh, value);

    /// <param name="known">The version that the asker has; 0 if none.</param>
    public static Snapshot<T> Since(long known, T? current, long version) =>
        current is null ? Missing : known == version ? Unchanged : Fresh(current);

    /// <summary>As a grain answers it: that nothing is new, which most are told, costs no task.</summary>
    public ValueTask<Snapshot<T>> ToAnswer() => Kind == SnapshotKind.Unchanged ? NothingNew : new(this);
}
