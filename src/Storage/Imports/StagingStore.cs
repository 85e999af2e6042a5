namespace PersonaActors.Storage.Imports;

/// <summary>A row that was read elsewhere.</summary>
public sealed record StagedRow(string Id, JsonText Row);

/// <summary>What imports have read and what they say of it, by job.</summary>
public sealed class StagingStore(Database database)
{
    private const string PutSql = """
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1::uuid, $2::uuid, $3::text, r.id, r.row::jsonb FROM unnest($4::text[], $5::text[]) AS r(id, row)
        ON CONFLICT (tenant_id, job_id, kind, id) DO UPDATE SET row = excluded.row
        """;

    /// <summary>Put twice, they are there once.</summary>
    public Task Put(Guid tenant, Guid job, string kind, IReadOnlyList<StagedRow> rows, CancellationToken cancel) => rows.Count == 0 ? Task.CompletedTask : database.ReadMany(
        RowScope.OfTenant(tenant), PutSql,
        [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(kind), Sql.Texts([.. rows.Select(row => row.Id)]), Sql.Texts([.. rows.Select(row => row.Row.Json)])], static row => row.FieldCount, cancel);

    private const string ListSql = "SELECT id, row FROM import_rows WHERE tenant_id = $1 AND job_id = $2 AND kind = $3 AND id > $4 ORDER BY id LIMIT $5";

    /// <summary>A page of them, in the order of their ids.</summary>
    public Task<List<StagedRow>> List(Guid tenant, Guid job, string kind, string after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), ListSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(kind), Sql.Text(after), Sql.Int(limit)],
        row => new StagedRow(row.GetString(0), new JsonText(row.GetString(1))), cancel);

    private const string FindSql = "SELECT row FROM import_rows WHERE tenant_id = $1 AND job_id = $2 AND kind = $3 AND id = $4";

    public Task<JsonText?> Find(Guid tenant, Guid job, string kind, string id, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), FindSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(kind), Sql.Text(id)], row => new JsonText(row.GetString(0)), cancel);

    private const string AmongSql = "SELECT id, row FROM import_rows WHERE tenant_id = $1 AND job_id = $2 AND kind = $3 AND id = ANY ($4)";

    /// <summary>Those of these ids that were put.</summary>
    public async Task<Dictionary<string, JsonText>> Among(Guid tenant, Guid job, string kind, IEnumerable<string> ids, CancellationToken cancel) => (await database.ReadMany(
        RowScope.OfTenant(tenant), AmongSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(kind), Sql.Texts([.. ids.Distinct()])],
        row => (Id: row.GetString(0), Row: new JsonText(row.GetString(1))), cancel)).ToDictionary(row => row.Id, row => row.Row);

    private const string KeepReportSql = "INSERT INTO import_rows (tenant_id, job_id, kind, id, row) VALUES ($1, $2, 'report', 'only', $3)";

    /// <summary>In the transaction that it reports of: an apply that is repeated finds it, and tells the same.</summary>
    public static Task KeepReport(ImportTransaction transaction, Guid tenant, Guid job, JsonText report, CancellationToken cancel) =>
        transaction.Run(KeepReportSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Jsonb(report.Json)], cancel);

    /// <summary>None as long as nothing was applied.</summary>
    public Task<JsonText?> Report(Guid tenant, Guid job, CancellationToken cancel) => Find(tenant, job, "report", "only", cancel);

    private const string ClearSql = "DELETE FROM import_rows WHERE tenant_id = $1 AND job_id = $2 AND ($3 OR kind <> 'note')";

    /// <param name="notesToo">Or only what was read: the notes are what the report refers to.</param>
    public Task Clear(Guid tenant, Guid job, bool notesToo, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), ClearSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Bool(notesToo)], static row => row.FieldCount, cancel);
}
