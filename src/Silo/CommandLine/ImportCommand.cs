using System.CommandLine;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using PersonaActors.Grains.Imports;

namespace PersonaActors.Silo.CommandLine;

/// <summary>Moving in.</summary>
public static class ImportCommand
{
    private const long MaxCollection = 100 * 1024 * 1024;

    public static readonly Argument<FileInfo> File = new Argument<FileInfo>("FILE") { Description = "What was exported there" }.AcceptExistingOnly();

    public static readonly Argument<FileInfo[]> Files = new Argument<FileInfo[]>("FILE") { Description = "Cards: JSON, PNG or CHARX", Arity = ArgumentArity.OneOrMore }.AcceptExistingOnly();

    public static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would happen, and do nothing" };

    public static readonly Option<string> From = new("--from") { Description = "The connection string of the other database, as the service reaches it", HelpName = "CONNECTION", Required = true };

    public static readonly Option<string?> OrphansTo = new("--orphans-to") { Description = "Whose personas are to be that nobody owns or uses: id or provider:subject, here or there", HelpName = "USER" };

    public static async Task<int> Shapes(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        using var content = Content(given.GetRequiredValue(File), "application/json");
        var report = (await service.Run($"/v1/imports/shapes{Query(given.GetValue(DryRun))}", content, cancel))["report"]!;
        var made = new[] { ("system prompt", "systemPrompt"), ("LLM config", "llmConfig"), ("personality", "personality"), ("persona", "persona") }
            .Where(thing => report[thing.Item2] is not null).Select(thing => $"{thing.Item1}: {report[thing.Item2]!["action"]}");
        given.Print(report, $"{report["slug"]}: {string.Join(", ", made)}{Notes(report["notes"]!.AsArray())}");
        return 0;
    }

    /// <summary>One is asked for at once; many are a job that passes over what is no card, and may be given again.</summary>
    public static async Task<int> Cards(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        var (files, isDry, made) = (given.GetRequiredValue(Files), given.GetValue(DryRun), new JsonArray());
        if (files is [var only])
        {
            using var content = Content(only, "application/octet-stream");
            var personality = await service.Post($"/v1/imports/cards{Query(isDry)}", content, cancel);
            made.Add(new JsonObject { ["file"] = only.Name, ["action"] = "created", ["slug"] = personality["slug"]!.DeepClone() });
        }

        foreach (var some in files.Length > 1 ? Collections(files) : [])
        {
            using var content = new ByteArrayContent(Zipped(some)) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
            var job = await service.Run($"/v1/imports/card-collections{Query(isDry)}", content, cancel);
            foreach (var card in job["report"]!["cards"]!.AsArray())
            {
                made.Add(card!.DeepClone());
            }
        }

        given.Print(isDry ? new { wouldImport = made } : (object)new { imported = made }, string.Join('\n', made.Select(card =>
            $"{card!["file"]}: {(string)card["action"]! switch { "refused" => $"refused. {card["note"]}", "known" => $"{card["slug"]}, as before", _ => card["slug"] }}")));
        return made.Any(card => (string)card!["action"]! == "refused") ? 1 : 0;
    }

    /// <summary>As many at a time as the service takes.</summary>
    private static IEnumerable<List<FileInfo>> Collections(IEnumerable<FileInfo> files)
    {
        var (some, size) = (new List<FileInfo>(), 0L);
        foreach (var file in files)
        {
            if (some.Count == CardsImport.MaxCards || (some.Count > 0 && size + file.Length > MaxCollection))
            {
                yield return some;
                (some, size) = ([], 0);
            }

            some.Add(file);
            size += file.Length;
        }

        yield return some;
    }

    private static byte[] Zipped(IEnumerable<FileInfo> files)
    {
        using var zipped = new MemoryStream();
        using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files)
            {
                // Pictures are packed already.
                zip.CreateEntryFromFile(file.FullName, file.Name, CompressionLevel.NoCompression);
            }
        }

        return zipped.ToArray();
    }

    public static Task<int> Legacy(ParseResult given, CancellationToken cancel) =>
        Tables(given, $"/v1/imports/legacy{Query(given.GetValue(DryRun))}", new { from = given.GetRequiredValue(From), orphansTo = given.GetValue(OrphansTo) }, cancel);

    /// <summary>Whoever had a key there gets one here, shown this once; who has one by that name already needs none.</summary>
    public static async Task<int> PersonaKit(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        using var content = JsonContent.Create(new { from = given.GetRequiredValue(From) });
        var job = await service.Run($"/v1/imports/personakit{Query(given.GetValue(DryRun))}", content, cancel);
        if (given.GetValue(DryRun))
        {
            given.Print(new { report = job["report"] }, Table(job) + string.Concat(job["report"]!["keys"]!.AsArray().Select(name => $"\na key for {name}")));
            return 0;
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        for (string? after = ""; after is not null;)
        {
            var page = JsonNode.Parse(await service.Get($"/v1/keys?limit=200{(after.Length > 0 ? $"&after={after}" : "")}", cancel))!;
            known.UnionWith(page["items"]!.AsArray().Select(key => (string)key!["name"]!));
            after = (string?)page["next"];
        }

        var keys = new JsonObject();
        foreach (var name in job["report"]!["keys"]!.AsArray().Select(name => (string)name!).Where(name => !known.Contains(Fit(name))))
        {
            using var key = JsonContent.Create(new { kind = "service", name = Fit(name) });
            keys[name] = (await service.Post("/v1/keys", key, cancel))["key"]!.DeepClone();
        }

        given.Print(new { report = job["report"], keys }, Table(job) + string.Concat(keys.Select(key => $"\nkey of {key.Key}: {key.Value}")));
        return 0;
    }

    private static string Query(bool dryRun) => dryRun ? "?dryRun=true" : "";

    private static string Fit(string name) => name.Length <= 100 ? name : name[..100];

    public static async Task<int> Archive(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        using var content = Content(given.GetRequiredValue(File), "application/zip");
        var report = (await service.Run($"/v1/imports/archive{Query(given.GetValue(DryRun))}", content, cancel))["report"]!;
        given.Print(report, $"User {report["user"]} {(given.GetValue(DryRun) ? "would be" : "is")} there, with {report["rows"]!.AsObject().Sum(table => (int)table.Value!)} rows.");
        return 0;
    }

    private static async Task<int> Tables(ParseResult given, string path, object body, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        using var content = JsonContent.Create(body, body.GetType());
        var job = await service.Run(path, content, cancel);
        given.Print(job["report"]!, Table(job));
        return 0;
    }

    private static string Table(JsonObject job)
    {
        var report = job["report"]!;
        var lines = report["tables"]!.AsArray().Select(table => $"{(string)table!["table"]!,-28}{(long)table["read"]!,10:N0}{(long)table["created"]!,10:N0}{(long)table["known"]!,10:N0}{(long)table["leftOut"]!,10:N0}");
        return $"{"",-28}{"read",10}{"created",10}{"known",10}{"left out",10}\n{string.Join('\n', lines)}"
            + ((long)report["notes"]! is > 0 and var notes ? $"\n{notes:N0} things had to change or stayed behind: /v1/jobs/{job["id"]}/notes" : "");
    }

    private static string Notes(JsonArray notes) => string.Concat(notes.Select(note => $"\n  {note!["field"]}: {note["note"]}"));

    private static StreamContent Content(FileInfo file, string type) => new(file.OpenRead()) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
}
