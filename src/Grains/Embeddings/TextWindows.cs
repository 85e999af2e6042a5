namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// A text longer than the model reads at once is read in windows that overlap, so that no sentence is only ever seen cut.
/// A window of this size costs less than twice the half of it.
/// </summary>
public static class TextWindows
{
    public const int Size = 128;
    public const int Overlap = 32;

    /// <summary>The windows of so many tokens: all of them are in one, the last window is as long as the others.</summary>
    public static IEnumerable<Range> Of(int tokens)
    {
        if (tokens <= Size)
        {
            yield return ..tokens;
            yield break;
        }

        for (var start = 0; ; start += Size - Overlap)
        {
            if (start + Size >= tokens)
            {
                yield return (tokens - Size)..tokens;
                yield break;
            }

            yield return start..(start + Size);
        }
    }
}
