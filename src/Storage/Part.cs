namespace PersonaActors.Storage;

/// <summary>One of so many equal parts of all rows, for workers that share them. A row's part is a hash of whose it is, which PostgreSQL computes.</summary>
public readonly record struct Part(int Index, int Of)
{
    public static readonly Part Whole = new(0, 1);
}
