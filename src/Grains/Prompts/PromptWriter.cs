using System.Buffers;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>Where a prompt is written: what is shared is taken over as it lies, all else is written side by side and copied out once.</summary>
public sealed class PromptWriter : IBufferWriter<byte>
{
    /// <summary>A shared stretch that is shorter is copied: that costs less than to remember it.</summary>
    private const int WorthSharing = 100;

    private readonly List<Stretch> _stretches = [];
    private byte[] _own;
    private int _written;

    /// <summary>Where those bytes begin that no stretch names yet.</summary>
    private int _open;

    private int _shared;

    public PromptWriter(int capacity = 1024) => _own = new byte[capacity];

    public int Length => _written + _shared;

    internal int Capacity => _own.Length;

    /// <summary>All of it, where nothing was shared.</summary>
    internal ReadOnlySpan<byte> Written => _own.AsSpan(0, _written);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _written += bytes.Length;
    }

    /// <param name="bytes">Nobody changes them.</param>
    public void Share(byte[] bytes) => Share(bytes, 0, bytes.Length);

    public void Share(byte[] bytes, int start, int length)
    {
        if (length < WorthSharing)
        {
            Write(bytes.AsSpan(start, length));
            return;
        }

        Close();
        _stretches.Add(new Stretch(bytes, start, length));
        _shared += length;
    }

    /// <summary>Takes back the last bytes that were written, where nothing was shared since.</summary>
    public void TakeBack(int count) => _written -= count;

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _own.AsSpan(_written);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _own.AsMemory(_written);
    }

    public void Advance(int count) => _written += count;

    public PromptText ToText()
    {
        Close();
        var own = new byte[_written];
        Written.CopyTo(own);
        var stretches = new Stretch[_stretches.Count];
        for (var i = 0; i < stretches.Length; i++)
        {
            var stretch = _stretches[i];
            stretches[i] = ReferenceEquals(stretch.Of, _own) ? stretch with { Of = own } : stretch;
        }

        return new PromptText(stretches, Length);
    }

    internal void Clear()
    {
        _stretches.Clear();
        _written = _open = _shared = 0;
    }

    private void Close()
    {
        if (_written > _open)
        {
            _stretches.Add(new Stretch(_own, _open, _written - _open));
            _open = _written;
        }
    }

    private void Reserve(int count)
    {
        if (_own.Length - _written >= count)
        {
            return;
        }

        var larger = new byte[Math.Max(_own.Length * 2, _written + count)];
        Written.CopyTo(larger);
        for (var i = 0; i < _stretches.Count; i++)
        {
            if (ReferenceEquals(_stretches[i].Of, _own))
            {
                _stretches[i] = _stretches[i] with { Of = larger };
            }
        }

        _own = larger;
    }
}
