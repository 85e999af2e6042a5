using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;

namespace PersonaActors.Storage.Tenants;

public sealed record TenantRow(TenantView View, long Seq);

public sealed class TenantStore(Database database)
{
    public const string NameKey = "tenants_name_key";

    private const string LoadSql = """
        SELECT t.tenant_id, t.name, t.display_name, t.event_retention_days, t.version, t.created_at, t.updated_at, t.settings, t.conversation_retention_days,
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $2)
        FROM tenants t WHERE t.tenant_id = $1
        """;

    public Task<TenantRow?> Load(Guid tenant, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfTenant(tenant), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Text(epoch.Stream)],
        row => new TenantRow(View(row), row.ValueOrNull<long>(9) ?? 0));

    private const string InsertSql = """
        INSERT INTO tenants (tenant_id, name, display_name, event_retention_days, version, created_at, updated_at, settings, conversation_retention_days)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)
        """;

    public static void Insert(ScopedBatch batch, TenantView tenant) => batch.Add(InsertSql,
        Sql.Uuid(tenant.Id), Sql.Text(tenant.Name), Sql.Text(tenant.DisplayName), Sql.Int(tenant.EventRetentionDays),
        Sql.Bigint(tenant.Version), Sql.Time(tenant.CreatedAt), Sql.Jsonb(tenant.Settings.ToStored().Json), Sql.Int(tenant.ConversationRetentionDays));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE tenants SET display_name = $2, event_retention_days = $3, version = $4, updated_at = $5, settings = $6, conversation_retention_days = $7
          WHERE tenant_id = $1 AND version = $4 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'tenant') FROM changed
        """;

    public static void Update(ScopedBatch batch, TenantView tenant) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant.Id), Sql.Text(tenant.DisplayName), Sql.Int(tenant.EventRetentionDays), Sql.Bigint(tenant.Version), Sql.Time(tenant.UpdatedAt),
        Sql.Jsonb(tenant.Settings.ToStored().Json), Sql.Int(tenant.ConversationRetentionDays));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM tenants WHERE tenant_id = $1 AND version = $2 RETURNING 1)
        SELECT must_hit(count(*), 'tenant') FROM changed
        """;

    /// <summary>With all that is the tenant's, by cascade.</summary>
    public static void Delete(ScopedBatch batch, TenantView tenant) => batch.AddGuarded(DeleteSql, Sql.Uuid(tenant.Id), Sql.Bigint(tenant.Version));

    private const string ListSql = """
        SELECT tenant_id, name, display_name, event_retention_days, version, created_at, updated_at, settings, conversation_retention_days
        FROM tenants WHERE tenant_id > $1 AND ($3::text IS NULL OR strpos(lower(name || ' ' || display_name), lower($3)) > 0) ORDER BY tenant_id LIMIT $2
        """;

    public Task<List<TenantView>> List(Guid after, string? search, int limit, CancellationToken cancel) =>
        database.ReadMany(RowScope.OfOperator(), ListSql, [Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], View, cancel);

    private const string FindByNameSql = """
        SELECT tenant_id, name, display_name, event_retention_days, version, created_at, updated_at, settings, conversation_retention_days FROM tenants WHERE name = $1
        """;

    public Task<TenantView?> FindByName(string name, CancellationToken cancel) =>
        database.ReadOne(RowScope.OfOperator(), FindByNameSql, [Sql.Text(name)], View, cancel);

    private const string FindKeySql = """
        SELECT kind, name, prefix, user_id, may_delegate, created_at, revoked_at, last_used_at FROM api_keys WHERE tenant_id = $1 AND id = $2
        """;

    public Task<ApiKeyView?> FindKey(Guid tenant, Guid key) => database.ReadOne(
        RowScope.OfTenant(tenant), FindKeySql, [Sql.Uuid(tenant), Sql.Uuid(key)],
        row => new ApiKeyView(key, ApiKeyStore.Kind(row.GetString(0)), row.GetString(1), row.GetString(2), row.GuidOrNull(3), row.GetBoolean(4),
            row.Time(5), row.TimeOrNull(6), row.TimeOrNull(7)));

    private static TenantView View(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt64(4), row.Time(5), row.Time(6),
        SettingsTier.FromStored(row.GetString(7)), row.GetInt32(8));
}
