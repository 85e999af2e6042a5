using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Storage.Catalogue;

/// <summary>A catalogue as its grain holds it, all of it of one moment.</summary>
public sealed record CatalogueRows(
    long Version, long Seq, IReadOnlyList<SystemPromptView> SystemPrompts, IReadOnlyList<LlmConfigView> LlmConfigs, IReadOnlyList<FocusModeView> FocusModes);

/// <summary>System prompts and focus modes, and the version of the catalogue they are in. Where there is no tenant, they are the system's.</summary>
public sealed class CatalogueStore(Database database)
{
    public const string DefaultPromptKey = "system_prompts_default";
    public const string FocusModeNameKey = "focus_modes_name";
    public const string TenantKey = "catalogues_tenant_id_fkey";

    private const string PromptColumns = "id, name, description, content, is_default, version, created_at, updated_at";

    private const string ModeColumns =
        "id, mode_name, display_name, description, icon, system_prompt, default_model, settings, is_system, is_active, version, created_at, updated_at";

    private const string VersionSql = """
        SELECT coalesce((SELECT version FROM catalogues WHERE tenant_id IS NOT DISTINCT FROM $1), 0),
          coalesce((SELECT seq FROM streams WHERE tenant_id IS NOT DISTINCT FROM $1 AND stream = $2), 0)
        """;

    internal const string PromptsSql = $"SELECT {PromptColumns} FROM system_prompts WHERE tenant_id = $1";

    private const string ModesSql = $"SELECT {ModeColumns} FROM focus_modes WHERE tenant_id IS NOT DISTINCT FROM $1";

    /// <summary>Several statements see several moments; the version, which every change raises, says whether they are one.</summary>
    public async Task<CatalogueRows> Load(Guid? tenant, OwnerEpoch epoch, LlmConfigStore configs)
    {
        var scope = Scope(tenant);
        while (true)
        {
            var (version, seq) = await Position(scope, tenant, epoch);
            var modes = await database.ReadMany(scope, ModesSql, [Sql.Uuid(tenant)], MapMode);
            var rows = tenant is { } id
                ? new CatalogueRows(version, seq, await database.ReadMany(scope, PromptsSql, [Sql.Uuid(id)], MapPrompt), await configs.LoadGlobal(id), modes)
                : new CatalogueRows(version, seq, [], [], modes);
            if (await Position(scope, tenant, epoch) == (version, seq))
            {
                return rows;
            }
        }
    }

    private async Task<(long Version, long Seq)> Position(RowScope scope, Guid? tenant, OwnerEpoch epoch) =>
        await database.LoadOwned(scope, epoch, VersionSql, [Sql.Uuid(tenant), Sql.Text(epoch.Stream)], row => Tuple.Create(row.GetInt64(0), row.GetInt64(1))) is var (version, seq)
            ? (version, seq)
            : default;

    public static RowScope Scope(Guid? tenant) => tenant is { } id ? RowScope.OfTenant(id) : RowScope.OfOperator();

    private const string RaiseSql = """
        WITH changed AS (
          INSERT INTO catalogues (tenant_id, version) VALUES ($1, $2)
          ON CONFLICT (tenant_id) DO UPDATE SET version = $2 WHERE catalogues.version = $2 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'catalogue') FROM changed
        """;

    /// <summary>First in every change of a catalogue: says which version it replaces.</summary>
    public static void Raise(ScopedBatch batch, Guid? tenant, long version) => batch.AddGuarded(RaiseSql, Sql.Uuid(tenant), Sql.Bigint(version));

    private const string InsertPromptSql = """
        INSERT INTO system_prompts (tenant_id, id, name, description, content, is_default, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, SystemPromptView prompt) => batch.Add(InsertPromptSql,
        Sql.Uuid(tenant), Sql.Uuid(prompt.Id), Sql.Text(prompt.Name), Sql.Text(prompt.Description), Sql.Text(prompt.Content),
        Sql.Bool(prompt.IsDefault), Sql.Bigint(prompt.Version), Sql.Time(prompt.CreatedAt));

    private const string UpdatePromptSql = """
        WITH changed AS (
          UPDATE system_prompts SET name = $3, description = $4, content = $5, is_default = $6, version = $7, updated_at = $8
          WHERE tenant_id = $1 AND id = $2 AND version = $7 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'system prompt') FROM changed
        """;

    public static void Update(ScopedBatch batch, Guid tenant, SystemPromptView prompt) => batch.AddGuarded(UpdatePromptSql,
        Sql.Uuid(tenant), Sql.Uuid(prompt.Id), Sql.Text(prompt.Name), Sql.Text(prompt.Description), Sql.Text(prompt.Content),
        Sql.Bool(prompt.IsDefault), Sql.Bigint(prompt.Version), Sql.Time(prompt.UpdatedAt));

    private const string DeletePromptSql = """
        WITH changed AS (DELETE FROM system_prompts WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'system prompt') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, SystemPromptView prompt) =>
        batch.AddGuarded(DeletePromptSql, Sql.Uuid(tenant), Sql.Uuid(prompt.Id), Sql.Bigint(prompt.Version));

    private const string ListPromptsSql = $"""
        SELECT {PromptColumns} FROM system_prompts
        WHERE tenant_id = $1 AND id > $2 AND ($4::text IS NULL OR strpos(lower(name), lower($4)) > 0) ORDER BY id LIMIT $3
        """;

    public Task<List<SystemPromptView>> ListPrompts(Guid tenant, Guid after, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), ListPromptsSql, [Sql.Uuid(tenant), Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], MapPrompt, cancel);

    private const string InsertModeSql = """
        INSERT INTO focus_modes (tenant_id, id, mode_name, display_name, description, icon, system_prompt, default_model, settings, is_active, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
        """;

    public static void Insert(ScopedBatch batch, Guid? tenant, FocusModeView mode) => batch.Add(InsertModeSql,
        Sql.Uuid(tenant), Sql.Uuid(mode.Id), Sql.Text(mode.ModeName), Sql.Text(mode.DisplayName), Sql.Text(mode.Description), Sql.Text(mode.Icon),
        Sql.Text(mode.SystemPrompt), Sql.Text(mode.DefaultModel), Sql.Json(mode.Settings.Json), Sql.Bool(mode.IsActive), Sql.Bigint(mode.Version),
        Sql.Time(mode.CreatedAt));

    private const string UpdateModeSql = """
        WITH changed AS (
          UPDATE focus_modes SET mode_name = $3, display_name = $4, description = $5, icon = $6, system_prompt = $7, default_model = $8,
            settings = $9, is_active = $10, version = $11, updated_at = $12
          WHERE tenant_id IS NOT DISTINCT FROM $1 AND id = $2 AND version = $11 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'focus mode') FROM changed
        """;

    public static void Update(ScopedBatch batch, Guid? tenant, FocusModeView mode) => batch.AddGuarded(UpdateModeSql,
        Sql.Uuid(tenant), Sql.Uuid(mode.Id), Sql.Text(mode.ModeName), Sql.Text(mode.DisplayName), Sql.Text(mode.Description), Sql.Text(mode.Icon),
        Sql.Text(mode.SystemPrompt), Sql.Text(mode.DefaultModel), Sql.Json(mode.Settings.Json), Sql.Bool(mode.IsActive), Sql.Bigint(mode.Version),
        Sql.Time(mode.UpdatedAt));

    private const string DeleteModeSql = """
        WITH changed AS (DELETE FROM focus_modes WHERE tenant_id IS NOT DISTINCT FROM $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'focus mode') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid? tenant, FocusModeView mode) =>
        batch.AddGuarded(DeleteModeSql, Sql.Uuid(tenant), Sql.Uuid(mode.Id), Sql.Bigint(mode.Version));

    private const string ListModesSql = $"""
        SELECT {ModeColumns} FROM focus_modes
        WHERE (tenant_id = $1 OR tenant_id IS NULL) AND (is_active OR $2) AND (NOT is_system, mode_name COLLATE "C") > ($3, $4 COLLATE "C")
          AND ($6::text IS NULL OR strpos(lower(mode_name), lower($6)) > 0 OR strpos(lower(display_name), lower($6)) > 0)
        ORDER BY is_system DESC, mode_name COLLATE "C" LIMIT $5
        """;

    /// <summary>The system's first, then by name.</summary>
    /// <param name="after">The last of the page before.</param>
    public Task<List<FocusModeView>> ListModes(Guid? tenant, bool inactiveToo, (bool IsSystem, string ModeName)? after, string? search, int limit, CancellationToken cancel) =>
        database.ReadMany(Scope(tenant), ListModesSql,
            [Sql.Uuid(tenant), Sql.Bool(inactiveToo), Sql.Bool(after is { IsSystem: false }), Sql.Text(after?.ModeName ?? ""), Sql.Int(limit), Sql.Text(search)], MapMode, cancel);

    internal static SystemPromptView MapPrompt(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.TextOrNull(2), row.GetString(3), row.GetBoolean(4), row.GetInt64(5), row.Time(6), row.Time(7));

    private static FocusModeView MapMode(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.TextOrNull(3), row.TextOrNull(4), row.GetString(5), row.TextOrNull(6),
        new JsonText(row.GetString(7)), row.GetBoolean(8), row.GetBoolean(9), row.GetInt64(10), row.Time(11), row.Time(12));
}
