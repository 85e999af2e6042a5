namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What was made last for a speaker, kept as long as it is: there is room for a pattern with each system focus mode and with
/// none. Read and written by many at once; one that is overwritten is made again.
/// </summary>
/// <param name="of">The personality or user persona, as of one version.</param>
public sealed class SpeakerShelf(object of)
{
    private const int Room = 8;

    private readonly PromptPattern?[] _patterns = new PromptPattern?[Room];
    private readonly PromptTerms?[] _terms = new PromptTerms?[Room];
    private int _nextPattern;
    private int _nextTerms;

    public object Of { get; } = of;

    public PromptPattern Pattern(in PatternParts parts)
    {
        foreach (var known in _patterns)
        {
            if (known is not null && known.IsOf(parts))
            {
                return known;
            }
        }

        return Keep(_patterns, ref _nextPattern, new PromptPattern(parts));
    }

    public PromptTerms Terms(in TermTiers tiers)
    {
        foreach (var known in _terms)
        {
            if (known is not null && known.IsOf(tiers))
            {
                return known;
            }
        }

        return Keep(_terms, ref _nextTerms, new PromptTerms(tiers));
    }

    private static T Keep<T>(T?[] kept, ref int next, T made) => kept[(uint)Interlocked.Increment(ref next) % Room] = made;
}
