using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Cards;
using PersonaActors.Grains.Jobs;
using PersonaActors.Storage.Jobs;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Makes private personalities of the cards in a zip, a few at a time. A card that its user has brought before is left as it is
/// now, so a second import makes none twice; what a part had made before it was lost goes by the id that it has in this job.
/// </summary>
public sealed class CardsImport(IGrainFactory grains, JobFileStore files, CardStore cards, Clock time) : IJobKind
{
    public const string Kind = "import-cards";

    public const int MaxCards = 500;

    private const int Chunk = 20;

    /// <param name="DryRun">It is only told what would happen.</param>
    public sealed record Input(bool DryRun);

    /// <param name="Action">created, known or refused.</param>
    public sealed record Brought(string File, string Action, string? Slug, string? Note);

    public sealed record Report(bool DryRun, int Created, int Known, int Refused, IReadOnlyList<Brought> Cards);

    /// <param name="Hashes">Of the cards so far: one that is twice among them is brought once, also where nothing is made.</param>
    private sealed record Cursor(Brought[]? Cards = null, string[]? Hashes = null);

    private static readonly Refusal Empty = new(RefusalKind.Invalid, "no_cards", "The zip has no files in it.");

    private static readonly Refusal TooMany = new(RefusalKind.Invalid, "too_many_cards", $"At most {MaxCards} cards are brought at once.");

    public string Name => Kind;

    /// <summary>Why a file is no zip of cards; what is wrong with a card is said of it alone.</summary>
    public static Refusal? Check(byte[] file)
    {
        try
        {
            using var zip = new ZipArchive(new MemoryStream(file), ZipArchiveMode.Read);
            return Entries(zip).Count switch { 0 => Empty, > MaxCards => TooMany, _ => null };
        }
        catch (InvalidDataException)
        {
            return CardRefusals.BrokenArchive;
        }
    }

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (isDry, cursor) = (work.Input.Read<Input>().DryRun, work.Cursor.Read<Cursor>());
        var (brought, hashes) = (new List<Brought>(cursor.Cards ?? []), new HashSet<string>(cursor.Hashes ?? []));
        using var zip = new ZipArchive(new MemoryStream((await files.Find(work.Tenant, work.Id, JobFileStore.Input, cancel))?.Content ?? []), ZipArchiveMode.Read);
        var entries = Entries(zip);
        var (some, size) = (new List<Entry>(), 0L);
        foreach (var entry in entries.Skip(brought.Count).Take(Chunk))
        {
            some.Add(Read(entry, out var unpacked));
            // Few large ones are enough for a part.
            if ((size += unpacked) > CardFile.MaxSize)
            {
                break;
            }
        }

        var known = await cards.Known(work.Tenant, work.User!.Value, [.. some.Where(card => card.Hash is not null).Select(card => card.Hash!)], cancel);
        foreach (var card in some)
        {
            brought.Add(
                card.Refusal is not null ? new Brought(card.File, "refused", null, card.Refusal.Detail)
                : known.TryGetValue(card.Hash!, out var before) ? new Brought(card.File, before.Personality == IdOf(work.Id, brought.Count) ? "created" : "known", before.Slug, null)
                : hashes.Contains(card.Hash!) ? new Brought(card.File, "known", null, "It is the same as another of these.")
                : await Bring(work, card, brought.Count, isDry));
            if (card.Hash is not null)
            {
                hashes.Add(card.Hash);
            }
        }

        return new JobStep(
            JsonText.From(new Cursor([.. brought], [.. hashes])), "importing", brought.Count, entries.Count,
            brought.Count < entries.Count ? null : JsonText.From(new Report(isDry, Count(brought, "created"), Count(brought, "known"), Count(brought, "refused"), brought)));
    }

    public Task<string> Abandon(JobWork work)
    {
        var made = work.Input.Read<Input>().DryRun ? 0 : Count(work.Cursor.Read<Cursor>().Cards ?? [], "created");
        return Task.FromResult(made == 0 ? "Nothing." : $"The {made} personalities that were made by then.");
    }

    private async Task<Brought> Bring(JobWork work, Entry card, int place, bool isDry)
    {
        var (id, draft) = (IdOf(work.Id, place), card.Card!.ToDraft());
        string? slug;
        Refusal? refusal;
        if (isDry)
        {
            (var would, refusal) = FreeSlugs.WouldBe(draft, id, time.GetUtcNow());
            slug = would.Slug;
        }
        else
        {
            var made = await FreeSlugs.Import(
                grains.Of<IPersonalityGrain>(new TenantScopedKey(work.Tenant, id)), Command.Unasked(new Actor(ActorKind.Service, work.User)), draft, id, card.Imported);
            (slug, refusal) = (made.Value?.Slug, made.Refusal);
        }

        return refusal is null ? new Brought(card.File, "created", slug, null) : new Brought(card.File, "refused", null, refusal.Detail);
    }

    private sealed record Entry(string File, Card? Card, ImportedCard? Imported, string? Hash, Refusal? Refusal);

    private static Entry Read(ZipArchiveEntry entry, out long size)
    {
        var (name, left) = (Text.Shorten(entry.FullName), (long)CardFile.MaxSize);
        using var file = new MemoryStream();
        try
        {
            if (!entry.To(file, ref left))
            {
                return new Entry(name, null, null, null, CardRefusals.TooLarge);
            }

            var (card, imported, refusal) = CardFile.Read(file.ToArray());
            return new Entry(name, card, imported, imported is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(imported.Card.Json))), refusal);
        }
        catch (InvalidDataException)
        {
            return new Entry(name, null, null, null, CardRefusals.BrokenArchive);
        }
        finally
        {
            size = CardFile.MaxSize - left;
        }
    }

    /// <summary>Without folders, and what a system puts beside the files of its user.</summary>
    private static List<ZipArchiveEntry> Entries(ZipArchive zip) => [.. zip.Entries
        .Where(entry => entry.Name.Length > 0 && entry.Name[0] != '.' && !entry.FullName.StartsWith("__MACOSX/", StringComparison.Ordinal))
        .OrderBy(entry => entry.FullName, StringComparer.Ordinal)];

    /// <summary>The job's own, but for the place of the card at its end.</summary>
    private static Guid IdOf(Guid job, int place)
    {
        Span<byte> bytes = stackalloc byte[16];
        job.TryWriteBytes(bytes, bigEndian: true, out _);
        (bytes[14], bytes[15]) = ((byte)(bytes[14] ^ ((place + 1) >> 8)), (byte)(bytes[15] ^ (place + 1)));
        return new Guid(bytes, bigEndian: true);
    }

    private static int Count(IReadOnlyCollection<Brought> brought, string action) => brought.Count(one => one.Action == action);
}
