using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace PersonaActors.Grains.Cards;

/// <summary>A PNG as what it is made of: a signature, and chunks of a length, a type, data and their checksum. What is broken is refused.</summary>
public sealed class PngChunks
{
    private const int Frame = 12;
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private readonly List<(string Type, byte[] Data)> _chunks;

    private PngChunks(List<(string, byte[])> chunks) => _chunks = chunks;

    public static bool IsPng(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    /// <param name="why">What is wrong with it.</param>
    public static PngChunks? Read(ReadOnlySpan<byte> file, out string why)
    {
        var chunks = new List<(string Type, byte[] Data)>();
        why = "It is no PNG.";
        if (!IsPng(file))
        {
            return null;
        }

        for (var rest = file[Signature.Length..]; ;)
        {
            if (rest.Length < Frame)
            {
                why = "It ends before its last chunk.";
                return null;
            }

            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            var type = Encoding.Latin1.GetString(rest.Slice(4, 4));
            if (!type.All(char.IsAsciiLetter))
            {
                why = $"Chunk {chunks.Count + 1} has no type.";
                return null;
            }

            if (length > rest.Length - Frame)
            {
                why = $"Chunk {chunks.Count + 1} ({type}) says that it has {length:N0} bytes, which is more than there are.";
                return null;
            }

            var size = (int)length;
            if (BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + size)..]) != Crc32.HashToUInt32(rest.Slice(4, 4 + size)))
            {
                why = $"The checksum of chunk {chunks.Count + 1} ({type}) is wrong.";
                return null;
            }

            chunks.Add((type, rest.Slice(8, size).ToArray()));
            if (type == "IEND")
            {
                break;
            }

            rest = rest[(Frame + size)..];
        }

        why = "It has no picture.";
        return chunks[0] is ("IHDR", { Length: 13 }) && chunks.Any(chunk => chunk.Type == "IDAT") ? new PngChunks(chunks) : null;
    }

    /// <summary>The text of the first tEXt chunk of that name, whatever its case.</summary>
    public string? Text(string keyword)
    {
        foreach (var chunk in _chunks)
        {
            if (IsNamed(chunk, keyword))
            {
                return Encoding.Latin1.GetString(chunk.Data.AsSpan(keyword.Length + 1));
            }
        }

        return null;
    }

    public PngChunks Without(params ReadOnlySpan<string> keywords)
    {
        var left = new List<(string Type, byte[] Data)>(_chunks);
        foreach (var keyword in keywords)
        {
            left.RemoveAll(chunk => IsNamed(chunk, keyword));
        }

        return new PngChunks(left);
    }

    private static bool IsNamed((string Type, byte[] Data) chunk, string keyword) =>
        chunk.Type == "tEXt" && chunk.Data.Length > keyword.Length && chunk.Data[keyword.Length] == 0
        && Encoding.Latin1.GetString(chunk.Data, 0, keyword.Length).Equals(keyword, StringComparison.OrdinalIgnoreCase);

    /// <param name="text">In Latin-1.</param>
    public PngChunks With(string keyword, string text)
    {
        var chunks = new List<(string, byte[])>(_chunks);
        chunks.Insert(chunks.Count - 1, ("tEXt", Encoding.Latin1.GetBytes($"{keyword}\0{text}")));
        return new PngChunks(chunks);
    }

    public byte[] ToBytes()
    {
        var file = new byte[Signature.Length + _chunks.Sum(chunk => Frame + chunk.Data.Length)];
        Signature.CopyTo(file, 0);
        var rest = file.AsSpan(Signature.Length);
        foreach (var (type, data) in _chunks)
        {
            BinaryPrimitives.WriteInt32BigEndian(rest, data.Length);
            Encoding.Latin1.GetBytes(type, rest[4..]);
            data.CopyTo(rest[8..]);
            BinaryPrimitives.WriteUInt32BigEndian(rest[(8 + data.Length)..], Crc32.HashToUInt32(rest.Slice(4, 4 + data.Length)));
            rest = rest[(Frame + data.Length)..];
        }

        return file;
    }

    /// <summary>A plain picture, for a card that came without one.</summary>
    public static PngChunks Plain(int width, int height, byte grey)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        var line = new byte[width + 1];
        // A line begins with how it is filtered: not at all.
        line.AsSpan(1).Fill(grey);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                zlib.Write(line);
            }
        }

        return new PngChunks([("IHDR", header), ("IDAT", packed.ToArray()), ("IEND", [])]);
    }
}
