using System.Text;

namespace PersonaActors.Grains.Texts;

/// <summary>Where JSON is written as it goes out. Its memory isn't cleared first, as a MemoryStream's is: that would cost as much as to write it.</summary>
public sealed class Utf8Writer(int capacity = 1024)
{
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public Utf8Writer Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
        return this;
    }

    /// <summary>A name of ours: nothing in it needs to be escaped.</summary>
    public Utf8Writer WriteAscii(string name)
    {
        Length += Encoding.ASCII.GetBytes(name, Room(name.Length));
        return this;
    }

    /// <summary>Takes back what was written since.</summary>
    public void CutTo(int length) => Length = length;

    private Span<byte> Room(int length)
    {
        if (length > _bytes.Length - Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(Math.Max(2 * _bytes.Length, Length + length));
            Written.Span.CopyTo(larger);
            _bytes = larger;
        }

        return _bytes.AsSpan(Length);
    }
}
