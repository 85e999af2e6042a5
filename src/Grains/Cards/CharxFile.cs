using System.IO.Compression;

namespace PersonaActors.Grains.Cards;

/// <summary>A CHARX: a zip with card.json and what belongs to it. It is unpacked once to see that it can be, and how far that goes.</summary>
public static class CharxFile
{
    public const long MaxUnpacked = 128 * 1024 * 1024;
    public const int MaxEntries = 5000;

    private const string CardName = "card.json";
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static bool IsZip(ReadOnlySpan<byte> file) => file.StartsWith("PK\u0003\u0004"u8) || file.StartsWith("PK\u0005\u0006"u8);

    public static (byte[]? Card, Refusal? Refusal) Read(byte[] file)
    {
        try
        {
            using var archive = new ZipArchive(new MemoryStream(file), ZipArchiveMode.Read);
            if (archive.Entries.Count > MaxEntries)
            {
                return (null, CardRefusals.Bomb);
            }

            byte[]? card = null;
            var left = MaxUnpacked;
            foreach (var entry in archive.Entries)
            {
                if (entry.FullName != CardName)
                {
                    if (!entry.To(Stream.Null, ref left))
                    {
                        return (null, CardRefusals.Bomb);
                    }

                    continue;
                }

                using var kept = new MemoryStream();
                var most = Math.Min(left, Card.MaxSize);
                var ofCard = most;
                if (!entry.To(kept, ref ofCard))
                {
                    return (null, most < left ? CardRefusals.TooLarge : CardRefusals.Bomb);
                }

                left -= kept.Length;
                card = kept.ToArray();
            }

            return card is null ? (null, CardRefusals.NotInArchive) : (card, null);
        }
        catch (InvalidDataException)
        {
            return (null, CardRefusals.BrokenArchive);
        }
    }

    /// <param name="carrier">The archive in which a card came; none for a new one.</param>
    public static byte[] Write(byte[]? carrier, byte[] card)
    {
        using var written = new MemoryStream();
        using (var archive = new ZipArchive(written, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, Action<Stream> write)
            {
                var entry = archive.CreateEntry(name, CompressionLevel.Fastest);
                entry.LastWriteTime = NoTime;
                using var to = entry.Open();
                write(to);
            }

            Add(CardName, to => to.Write(card));
            if (carrier is not null)
            {
                using var before = new ZipArchive(new MemoryStream(carrier), ZipArchiveMode.Read);
                foreach (var entry in before.Entries.Where(entry => entry.FullName != CardName))
                {
                    using var from = entry.Open();
                    Add(entry.FullName, from.CopyTo);
                }
            }
        }

        return written.ToArray();
    }
}
