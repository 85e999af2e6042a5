namespace PersonaActors.Storage;

/// <summary>
/// The ownership of a stream that an activation writes under: as its row had it when the activation was loaded (0 where there
/// is none yet), until the activation claims the next one itself. A commit under another one than the row's is refused.
/// </summary>
public sealed class OwnerEpoch(string stream)
{
    public string Stream => stream;

    public long Value { get; internal set; }
}
