namespace PersonaActors.Storage.Imports;

/// <summary>A user's rows as JSON, all as of one moment; and such rows into another tenant.</summary>
public sealed class ArchiveStore(Database database)
{
    /// <param name="write">Is handed each table with its rows, one after the other.</param>
    public async Task Read(Guid tenant, Guid user, Action<ArchivedTable, IReadOnlyList<string>> write, CancellationToken cancel)
    {
        await using var transaction = await ImportTransaction.Snapshot(database, tenant, cancel);
        foreach (var table in ArchiveTables.All)
        {
            write(table, await transaction.Read(
                $"SELECT row_to_json(t)::text FROM {table.Name} t WHERE t.tenant_id = $1 AND ({table.Of})", [Sql.Uuid(tenant), Sql.Uuid(user)], row => row.GetString(0), cancel));
        }
    }

    private const string SettingsSql = "SELECT settings::text FROM tenants WHERE tenant_id = $1";

    /// <summary>The tenant's tier, on which the prompts rest too.</summary>
    public Task<JsonText?> Settings(Guid tenant, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), SettingsSql, [Sql.Uuid(tenant)], row => new JsonText(row.GetString(0)), cancel);

    private const string IsEmptySql = """
        SELECT NOT EXISTS (SELECT FROM users WHERE tenant_id = $1) AND NOT EXISTS (SELECT FROM personalities WHERE tenant_id = $1)
          AND NOT EXISTS (SELECT FROM system_prompts WHERE tenant_id = $1) AND NOT EXISTS (SELECT FROM llm_configs WHERE tenant_id = $1)
        """;

    public static async Task<bool> IsEmpty(ImportTransaction transaction, Guid tenant, CancellationToken cancel) =>
        (await transaction.Read(IsEmptySql, [Sql.Uuid(tenant)], row => row.GetBoolean(0), cancel))[0];

    // Columns that are computed are; keys of the other tenant aren't here.
    private const string ColumnsSql = """
        SELECT column_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND column_name NOT IN ('tenant_id', 'created_by') ORDER BY ordinal_position
        """;

    /// <param name="rows">A JSON array of the table's rows.</param>
    public static async Task<int> Insert(ImportTransaction transaction, Guid tenant, ArchivedTable table, string rows, CancellationToken cancel)
    {
        var columns = await transaction.Read(ColumnsSql, [Sql.Text(table.Name)], row => row.GetString(0), cancel);
        var values = columns.Select(column => table.Anew is { } anew && anew.Column == column ? anew.As : $"r.{column}");
        return await transaction.Run(
            $"INSERT INTO {table.Name} (tenant_id, {string.Join(", ", columns)}) SELECT $1, {string.Join(", ", values)} FROM json_populate_recordset(NULL::{table.Name}, $2) r WHERE {table.RestoredIf}",
            [Sql.Uuid(tenant), Sql.Json(rows)], cancel);
    }

    private const string NarrativesSql = "SELECT n.person_id, n.id FROM narratives n WHERE n.tenant_id = $1 ORDER BY n.id";

    /// <summary>All narratives of a tenant that was empty: their vectors are no part of an archive.</summary>
    public static Task<List<(Guid Person, Guid Narrative)>> Narratives(ImportTransaction transaction, Guid tenant, CancellationToken cancel) => transaction.Read(
        NarrativesSql, [Sql.Uuid(tenant)], row => (row.GetGuid(0), row.GetGuid(1)), cancel);

    private const string ThingsSql = """
        SELECT 'user', u.id::text, NULL::uuid FROM users u WHERE u.tenant_id = $1
        UNION ALL SELECT 'persona', p.id::text, p.owner_id FROM personas p WHERE p.tenant_id = $1
        UNION ALL SELECT 'personality', c.id::text, NULL FROM personalities c WHERE c.tenant_id = $1
        UNION ALL SELECT 'user-persona', u.id::text, NULL FROM user_personas u WHERE u.tenant_id = $1
        """;

    /// <summary>All users, personas and personalities of a tenant that was empty.</summary>
    public static Task<List<NewThing>> Things(ImportTransaction transaction, Guid tenant, CancellationToken cancel) => transaction.Read(
        ThingsSql, [Sql.Uuid(tenant)], row => new NewThing(row.GetString(0), row.GetString(1), row.GuidOrNull(2)), cancel);
}
