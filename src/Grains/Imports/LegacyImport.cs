using System.Text.Json.Nodes;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Texts;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Imports;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Brings the tables of the first founding document into a tenant: staged in chunks, then applied in one transaction, which
/// keeps its report too, so that an apply that is repeated tells the same.
/// </summary>
public sealed class LegacyImport(Database database, StagingStore staging, ImportCommit committing, Clock time) : IJobKind
{
    public const string Kind = "import-legacy";

    private const int Chunk = 2000;
    private const string History = "conversation_history";

    /// <summary>With what names a row of it.</summary>
    private static readonly (string Table, string Key)[] Tables =
    [
        ("users", "id"), ("personas", "id"), ("system_prompts", "id"), ("llm_configs", "id"), ("personalities", "id"),
        ("personality_owners", "personality_id::text || '/' || user_id::text"), ("user_personality_settings", "id"), ("activated_channels", "id"), (History, "id"),
    ];

    /// <param name="From">The connection string of the other database.</param>
    /// <param name="OrphansTo">Who gets personas that nobody owns or uses: a user's id or provider:subject, here or among the imported.</param>
    /// <param name="DryRun">It is only told what would happen.</param>
    public sealed record Input(string From, string? OrphansTo, bool DryRun = false);

    public sealed record Report(IReadOnlyList<LegacyCount> Tables, long Notes, bool DryRun = false);

    private sealed record Cursor(int Table = 0, string After = "", long Read = 0, long? Total = null);

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (input, cursor) = (work.Input.Read<Input>(), work.Cursor.Read<Cursor>());
        try
        {
            var source = new LegacySource(input.From);
            if (cursor.Total is null)
            {
                long total = 0;
                foreach (var (table, _) in Tables)
                {
                    total += await source.Count(table, cancel);
                }

                return At(cursor with { Total = total }, "reading");
            }

            if (cursor.Table < Tables.Length)
            {
                var (table, key) = Tables[cursor.Table];
                var rows = await source.Page(table, key, cursor.After, Chunk, cancel);
                await staging.Put(work.Tenant, work.Id, table, table == History ? rows.ConvertAll(Counted) : rows, cancel);
                var read = cursor.Read + rows.Count;
                return rows.Count == Chunk
                    ? At(cursor with { After = rows[^1].Id, Read = read }, "reading")
                    : At(cursor with { Table = cursor.Table + 1, After = "", Read = read }, cursor.Table + 1 < Tables.Length ? "reading" : "applying");
            }
        }
        catch (SourceException e) when (e.IsForGood)
        {
            throw new JobFailedException("source_unreadable", e.Message);
        }

        var report = await staging.Report(work.Tenant, work.Id, cancel) ?? await Apply(work, input, cancel);
        await staging.Clear(work.Tenant, work.Id, notesToo: false, cancel);
        return At(cursor, "applied") with { Report = report };
    }

    public async Task<string> Abandon(JobWork work)
    {
        var isApplied = await staging.Report(work.Tenant, work.Id, CancellationToken.None) is not null;
        await staging.Clear(work.Tenant, work.Id, notesToo: !isApplied, CancellationToken.None);
        return isApplied ? "Everything: it was applied already." : "Nothing: what was read is not applied, and gone.";
    }

    private static JobStep At(Cursor cursor, string phase) => new(JsonText.From(cursor), phase, cursor.Read, cursor.Total);

    private async Task<JsonText> Apply(JobWork work, Input input, CancellationToken cancel)
    {
        var now = time.GetUtcNow().ToMicroseconds();
        var tenant = work.Tenant;
        await using var transaction = await ImportTransaction.Begin(database, tenant, cancel);
        var store = new LegacyStore(transaction, tenant, work.Id, now, cancel);
        await store.Users();
        var orphans = await store.MapPersonas();
        Guid? orphansTo = input.OrphansTo is null ? null : await store.FindUser(input.OrphansTo)
            ?? throw new JobFailedException("user_not_found", $"There is no user '{input.OrphansTo}', here or among those that are imported.");
        if (orphans > 0 && orphansTo is null)
        {
            throw new JobFailedException("orphans_need_owner", $"{orphans:N0} personas have no owner and are used by nobody: say whose they are to be (orphansTo).");
        }

        var catalogue = await transaction.Catalogue(tenant, cancel);
        var mapped = new LegacyCatalogue(catalogue, now);
        var (oldPrompts, oldConfigs) = (await store.Staged("system_prompts"), await store.Staged("llm_configs"));
        var (prompts, configs) = (mapped.Prompts(oldPrompts), mapped.Configs(oldConfigs));
        if (catalogue.SystemPrompts.Count + prompts.Count > CatalogueGrain.MaxOfAKind || catalogue.LlmConfigs.Count + configs.Count > CatalogueGrain.MaxOfAKind)
        {
            throw new JobFailedException("catalogue_full", $"A tenant has at most {CatalogueGrain.MaxOfAKind} system prompts and as many LLM configs.");
        }

        var batch = transaction.Batch();
        prompts.ForEach(prompt => CatalogueStore.Insert(batch, tenant, prompt));
        configs.ForEach(config => LlmConfigStore.Insert(batch, tenant, config));
        await transaction.Run(batch);
        await store.Personas(orphansTo);
        await store.Personalities(await Slugs(store, mapped.Notes));
        await store.Channels();
        await store.Note(mapped.Notes);
        var touched = await store.Touched();
        var counts = await store.Counts();
        counts.AddRange([Of("system_prompts", oldPrompts, prompts.Count), Of("llm_configs", oldConfigs, configs.Count)]);
        var report = JsonText.From(new Report([.. counts.OrderBy(count => count.Table, StringComparer.Ordinal)], await store.CountNotes(), input.DryRun));
        if (input.DryRun)
        {
            // What would be noted is kept; all else goes with the transaction, which has to be over before: the notes are in it, too.
            var notes = await store.Staged("note");
            await transaction.DisposeAsync();
            await staging.Put(tenant, work.Id, "note", notes, cancel);
            return report;
        }

        await StagingStore.KeepReport(transaction, tenant, work.Id, report, cancel);

        await committing.Commit(transaction, tenant, prompts, configs, touched, await store.New(), now);
        return report;
    }

    /// <summary>A slug stays if it is one and free; else it is made valid, and another as long as it is taken.</summary>
    private static async Task<List<(string Id, string Slug)>> Slugs(LegacyStore store, List<(string Table, string Id, string Field, string Note)> notes)
    {
        var taken = (await store.TakenSlugs()).ToHashSet(StringComparer.Ordinal);
        var slugs = new List<(string, string)>();
        foreach (var (id, old, name) in await store.NewPersonalities())
        {
            var wish = string.IsNullOrWhiteSpace(old) ? name : old.Replace('_', '-').Replace('.', '-');
            var slug = FreeSlugs.Of(wish, Guid.Parse(id)).First(taken.Add);
            if (slug != old)
            {
                notes.Add(("personalities", id, "slug", $"'{Text.Shorten(old ?? "")}' is no slug, or taken: it is '{slug}' now."));
            }

            slugs.Add((id, slug));
        }

        return slugs;
    }

    /// <summary>A message with how many tokens it has, which SQL can't count.</summary>
    private static StagedRow Counted(StagedRow message)
    {
        var row = JsonNode.Parse(message.Row.Json)!.AsObject();
        row["tokens"] = row["content"] is JsonValue content && content.TryGetValue<string>(out var text) ? TokenCount.Of(text) : 0;
        return message with { Row = new JsonText(row.ToJsonString(Wire.Json)) };
    }

    private static LegacyCount Of(string table, List<StagedRow> read, int created) => new(table, read.Count, created, read.Count - created, 0);
}
