using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>How much all users' ready prompts may take on this node. Past it, whoever adds one gives up older ones of its own.</summary>
public sealed class PromptBudget(long most)
{
    private long _used;

    public PromptBudget() : this(128L * 1024 * 1024)
    {
    }

    public long Used => Volatile.Read(ref _used);

    public bool IsSpent => Used > most;

    public void Take(long size) => Interlocked.Add(ref _used, size);
}

/// <summary>
/// One user's ready prompts, bounded; the least recently used goes first. Kept is what was asked for twice in a row: making
/// one costs little, and what nobody asks for again would only be carried from one garbage collection to the next.
/// </summary>
internal sealed class ReadyPrompts(PromptBudget budget)
{
    private const int Most = 64;

    /// <summary>What an entry takes beside its text.</summary>
    private const int Overhead = 2048;

    /// <summary>The request before: its hash.</summary>
    private int _before;

    private readonly Dictionary<PromptRequest, LinkedListNode<Kept>> _byRequest = [];
    private readonly LinkedList<Kept> _byUse = new();

    private sealed record Kept(PromptRequest Request, ReadyEntry Entry, long Size);

    public ReadyEntry? Find(PromptRequest request)
    {
        if (!_byRequest.TryGetValue(request, out var node))
        {
            return null;
        }

        if (node != _byUse.First)
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }

        return node.Value.Entry;
    }

    public void Keep(PromptRequest request, ReadyEntry entry)
    {
        if (entry.Size == entry.KeptSize)
        {
            return;
        }

        if (_byRequest.Remove(request, out var before))
        {
            Remove(before);
        }
        else if (!IsRepeated(request))
        {
            return;
        }

        while (_byUse.Last is { } oldest && (_byUse.Count >= Most || budget.IsSpent))
        {
            _byRequest.Remove(oldest.Value.Request);
            Remove(oldest);
        }

        entry.KeptSize = entry.Size;
        var size = entry.Size + Overhead;
        _byRequest[request] = _byUse.AddFirst(new Kept(request, entry, size));
        budget.Take(size);
    }

    private bool IsRepeated(PromptRequest request)
    {
        var before = _before;
        _before = request.GetHashCode();
        return _before == before;
    }

    public void Clear()
    {
        foreach (var kept in _byUse)
        {
            budget.Take(-kept.Size);
        }

        _byUse.Clear();
        _byRequest.Clear();
    }

    private void Remove(LinkedListNode<Kept> node)
    {
        _byUse.Remove(node);
        budget.Take(-node.Value.Size);
    }
}
