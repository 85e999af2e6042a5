using System.IO.Compression;
using System.Text;
using System.Text.Json;
using PersonaActors.Storage.Imports;

namespace PersonaActors.Grains.Imports;

/// <param name="Format">Of the tables in it: raised whenever an older one couldn't be restored any more.</param>
/// <param name="Settings">The tenant's tier, as it is stored.</param>
public sealed record ArchiveHead(int Format, Guid User, DateTimeOffset At, JsonText Settings);

/// <summary>A user's archive: a zip with a head, and each table's rows as a JSON array, a row a line.</summary>
public sealed class ArchiveFile
{
    public const int Format = 1;
    public const long MaxUnpacked = 512L * 1024 * 1024;

    private const string HeadName = "archive.json";

    private readonly Dictionary<string, string> _tables = new(StringComparer.Ordinal);

    private ArchiveFile(ArchiveHead head) => Head = head;

    public ArchiveHead Head { get; }

    /// <summary>A table's rows, as a JSON array.</summary>
    public string? Table(string name) => _tables.GetValueOrDefault(name);

    public static (ArchiveFile? File, Refusal? Refusal) Read(byte[] file)
    {
        static Refusal Invalid(string why) => new(RefusalKind.Invalid, "invalid_archive", $"It is no archive of a user. {why}");
        try
        {
            using var zip = new ZipArchive(new MemoryStream(file), ZipArchiveMode.Read);
            if (zip.GetEntry(HeadName) is not { } first)
            {
                return (null, Invalid($"It has no {HeadName}."));
            }

            var left = MaxUnpacked;
            string? Text(ZipArchiveEntry entry)
            {
                using var to = new MemoryStream();
                return entry.To(to, ref left) ? Encoding.UTF8.GetString(to.GetBuffer(), 0, (int)to.Length) : null;
            }

            var head = JsonSerializer.Deserialize<ArchiveHead>(Text(first) ?? "null", Wire.Json);
            if (head?.Format != Format)
            {
                return (null, Invalid($"Its format is not {Format}."));
            }

            var archive = new ArchiveFile(head);
            foreach (var table in ArchiveTables.All)
            {
                if (zip.GetEntry(NameOf(table)) is not { } entry)
                {
                    continue;
                }

                if (Text(entry) is not { } rows)
                {
                    return (null, Invalid($"It unpacks to more than {MaxUnpacked / 1024 / 1024} MiB."));
                }

                if (JsonElement.Parse(rows) is not { ValueKind: JsonValueKind.Array })
                {
                    return (null, Invalid($"{entry.FullName} is no list of rows."));
                }

                archive._tables[table.Name] = rows;
            }

            return (archive, null);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            return (null, Invalid("It is broken."));
        }
    }

    /// <summary>Writes an archive; tables are added to it one by one.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly MemoryStream _file = new();
        private readonly ZipArchive _zip;
        private readonly ArchiveHead _head;
        private long _size;

        public Writer(ArchiveHead head)
        {
            _head = head;
            _zip = new ZipArchive(_file, ZipArchiveMode.Create, leaveOpen: true);
            Add(HeadName, to => to.Write(JsonSerializer.Serialize(head, Wire.Json)));
        }

        /// <summary>How many rows there are, by table.</summary>
        public Dictionary<string, int> Counts { get; } = [];

        public void Add(ArchivedTable table, IReadOnlyList<string> rows)
        {
            _size += rows.Sum(row => (long)row.Length);
            if (_size > MaxUnpacked)
            {
                throw new Jobs.JobFailedException("archive_too_large", $"The archive has more than {MaxUnpacked / 1024 / 1024} MiB.");
            }

            Counts[table.Name] = rows.Count;
            Add(NameOf(table), to =>
            {
                to.Write("[\n");
                for (var i = 0; i < rows.Count; i++)
                {
                    to.Write(i == 0 ? "" : ",\n");
                    to.Write(rows[i]);
                }

                to.Write("\n]\n");
            });
        }

        public byte[] ToBytes()
        {
            _zip.Dispose();
            return _file.ToArray();
        }

        public void Dispose()
        {
            _zip.Dispose();
            _file.Dispose();
        }

        private void Add(string name, Action<StreamWriter> write)
        {
            var entry = _zip.CreateEntry(name, CompressionLevel.Fastest);
            entry.LastWriteTime = _head.At;
            using var to = new StreamWriter(entry.Open(), new UTF8Encoding(false));
            write(to);
        }
    }

    private static string NameOf(ArchivedTable table) => $"tables/{table.Name}.json";
}
