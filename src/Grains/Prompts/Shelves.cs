using System.Runtime.CompilerServices;

namespace PersonaActors.Grains.Prompts;

/// <summary>Something that is made for a speaker out of <typeparamref name="TOf"/>, and tells whether it was made of the very same.</summary>
internal interface IShelved<TSelf, TOf>
{
    bool IsOf(in TOf what);

    static abstract TSelf Make(in TOf what);
}

/// <summary>
/// What was made last for each speaker, kept as long as it is; a shelf has room for a pattern with each system focus mode and
/// with none. Read and written by many at once; one that is overwritten is made again.
/// </summary>
internal sealed class Shelves<T, TOf>
    where T : class, IShelved<T, TOf>
{
    private readonly ConditionalWeakTable<object, Shelf> _bySpeaker = [];

    public T Find(object speaker, in TOf what) => _bySpeaker.GetOrCreateValue(speaker).Find(what);

    private sealed class Shelf
    {
        private readonly T?[] _kept = new T?[8];
        private int _next;

        public T Find(in TOf what)
        {
            foreach (var known in _kept)
            {
                if (known is not null && known.IsOf(what))
                {
                    return known;
                }
            }

            return _kept[Interlocked.Increment(ref _next) & 7] = T.Make(what);
        }
    }
}
