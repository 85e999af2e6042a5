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

/// <summary>One user's ready prompts, bounded; the least recently used goes first.</summary>
internal sealed class ReadyPrompts(PromptBudget budget)
{
    private const int Most = 64;

    /// <summary>What an entry takes beside its text.</summary>
    private const int Overhead = 2048;

    /// <summary>The one used last comes first. Most users have few, so what is looked through lies side by side.</summary>
    private Slot[] _slots = [];

    private int _count;

    private readonly record struct Slot(int Hash, ReadyEntry Entry);

    public ReadyEntry? Find(PromptRequest request)
    {
        var at = _count == 0 ? -1 : IndexOf(request, request.GetHashCode());
        if (at < 0)
        {
            return null;
        }

        var found = _slots[at];
        if (at > 0)
        {
            Array.Copy(_slots, 0, _slots, 1, at);
            _slots[0] = found;
        }

        return found.Entry;
    }

    /// <summary>It, or what was there in its place.</summary>
    public bool Has(ReadyEntry entry) => entry.KeptSize >= 0 || IndexOf(entry.Request, entry.Hash) >= 0;

    public void Keep(ReadyEntry entry)
    {
        if (entry.Size == entry.KeptSize)
        {
            return;
        }

        var hash = entry.Hash;
        if (IndexOf(entry.Request, hash) is >= 0 and var before)
        {
            Remove(before);
        }

        while (_count > 0 && (_count >= Most || budget.IsSpent))
        {
            Remove(_count - 1);
        }

        if (_count == _slots.Length)
        {
            Array.Resize(ref _slots, Math.Clamp(_count * 2, 2, Most));
        }

        Array.Copy(_slots, 0, _slots, 1, _count);
        _slots[0] = new Slot(hash, entry);
        _count++;
        entry.KeptSize = entry.Size;
        budget.Take(entry.KeptSize + Overhead);
    }

    public void Clear()
    {
        while (_count > 0)
        {
            Remove(_count - 1);
        }
    }

    private int IndexOf(PromptRequest request, int hash)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_slots[i].Hash == hash && _slots[i].Entry.Request == request)
            {
                return i;
            }
        }

        return -1;
    }

    private void Remove(int at)
    {
        budget.Take(-_slots[at].Entry.KeptSize - Overhead);
        _count--;
        Array.Copy(_slots, at + 1, _slots, at, _count - at);
        _slots[_count] = default;
    }
}
