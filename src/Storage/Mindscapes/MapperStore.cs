using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <summary>A rule's weight as a row.</summary>
public sealed record RuleWeightRow(string ConfigId, string Rule, RuleWeight Weight);

/// <summary>Mappers: their versions, and the weights that feedback gave their rules.</summary>
public sealed class MapperStore(Database database)
{
    public const string VersionKey = "mapper_configs_version";

    private const string Columns = "c.id, c.config_id, c.version, c.configuration, c.status, c.usage_count, c.created_at, c.updated_at, c.created_by";

    private const string LoadSql = $"""
        SELECT {Columns} FROM mapper_configs c
        WHERE c.tenant_id = $1 AND c.mapper = $2
          AND (c.status = 'active' OR c.version = (SELECT max(n.version) FROM mapper_configs n WHERE n.tenant_id = $1 AND n.mapper = $2))
        ORDER BY c.version DESC
        """;

    /// <summary>The newest version and the active one, which may be one; none if there is no such mapper.</summary>
    public Task<List<MapperVersionView>> Load(Guid tenant, Guid mapper) => database.ReadMany(
        RowScope.OfTenant(tenant), LoadSql, [Sql.Uuid(tenant), Sql.Uuid(mapper)], Map);

    private sealed record Position(long Seq);

    private const string PositionSql = "SELECT coalesce((SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $2), 0)";

    /// <summary>Where the mapper's stream is, and with it the ownership that it is written under.</summary>
    public async Task<long> Claim(Guid tenant, OwnerEpoch epoch) => (await database.LoadOwned(
        RowScope.OfTenant(tenant), epoch, PositionSql, [Sql.Uuid(tenant), Sql.Text(epoch.Stream)], row => new Position(row.GetInt64(0))))!.Seq;

    private const string WeightsSql = """
        SELECT w.config_id, w.rule_id, w.weight, w.original_weight, w.is_locked, w.last_adjusted, w.adjustment_reason, w.lowered_at
        FROM mapper_rule_weights w WHERE w.tenant_id = $1 AND ($2::text IS NULL OR w.config_id = $2)
        """;

    /// <summary>Of one mapper, or of all.</summary>
    public Task<List<RuleWeightRow>> Weights(Guid tenant, string? configId, CancellationToken cancel = default) => database.ReadMany(
        RowScope.OfTenant(tenant), WeightsSql, [Sql.Uuid(tenant), Sql.Text(configId)],
        row => new RuleWeightRow(row.GetString(0), row.GetString(1), new RuleWeight(
            row.GetDouble(2), row.GetDouble(3), row.GetBoolean(4), row.TimeOrNull(5), row.TextOrNull(6), row.TimeOrNull(7))),
        cancel);

    private const string SaveWeightSql = """
        INSERT INTO mapper_rule_weights (tenant_id, config_id, rule_id, weight, original_weight, is_locked, last_adjusted, adjustment_reason, lowered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (tenant_id, config_id, rule_id) DO UPDATE SET weight = $4, original_weight = $5, is_locked = $6, last_adjusted = $7, adjustment_reason = $8, lowered_at = $9
        """;

    public static void SaveWeight(ScopedBatch batch, Guid tenant, string configId, string rule, RuleWeight weight) => batch.Add(SaveWeightSql,
        Sql.Uuid(tenant), Sql.Text(configId), Sql.Text(rule), Sql.Double(weight.Weight), Sql.Double(weight.OriginalWeight), Sql.Bool(weight.IsLocked),
        Sql.Time(weight.LastAdjusted), Sql.Text(weight.AdjustmentReason), Sql.Time(weight.LoweredAt));

    private const string DeleteWeightsSql = "DELETE FROM mapper_rule_weights WHERE tenant_id = $1 AND config_id = $2 AND NOT is_locked";

    /// <summary>They are in a version now.</summary>
    public static void DeleteWeights(ScopedBatch batch, Guid tenant, string configId) => batch.Add(DeleteWeightsSql, Sql.Uuid(tenant), Sql.Text(configId));

    private const string InsertSql = """
        INSERT INTO mapper_configs (tenant_id, id, mapper, config_id, version, configuration, status, created_at, updated_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, MapperVersionView version) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(version.Id), Sql.Uuid(MapperKey.Of(tenant, version.ConfigId).Id), Sql.Text(version.ConfigId), Sql.Int(version.Version),
        Sql.Json(version.Configuration.Json), Sql.Text(Word(version.Status)), Sql.Time(version.CreatedAt), Sql.Uuid(version.CreatedBy));

    private const string DeprecateSql = """
        UPDATE mapper_configs SET status = 'deprecated', updated_at = $4
        WHERE tenant_id = $1 AND config_id = $2 AND status <> 'deprecated' AND ($3::text IS NULL OR status = $3)
        """;

    /// <param name="only">Those of this status, or all.</param>
    public static void Deprecate(ScopedBatch batch, Guid tenant, string configId, MapperStatus? only, DateTimeOffset now) => batch.Add(DeprecateSql,
        Sql.Uuid(tenant), Sql.Text(configId), Sql.Text(only is { } status ? Word(status) : null), Sql.Time(now));

    private const string UseSql = "UPDATE mapper_configs SET usage_count = usage_count + 1 WHERE tenant_id = $1 AND id = $2";

    /// <summary>A persona was made by it.</summary>
    public static void Use(ScopedBatch batch, Guid tenant, Guid version) => batch.Add(UseSql, Sql.Uuid(tenant), Sql.Uuid(version));

    private const string MissingSql = """
        INSERT INTO mapper_configs (tenant_id, id, mapper, config_id, version, configuration, status, created_at, updated_at)
        SELECT t.tenant_id, gen_random_uuid(), $1, $2::text, 1, $3, 'active', $4, $4 FROM tenants t
        WHERE NOT EXISTS (SELECT FROM mapper_configs c WHERE c.tenant_id = t.tenant_id AND c.config_id = $2::text)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Gives a mapper to every tenant that never had it. Nobody has read it there, so no grain is asked.</summary>
    public Task GiveToAll(string configId, JsonText configuration, DateTimeOffset now, CancellationToken cancel) => database.Worker.Run(
        MissingSql, cancel, Sql.Uuid(MapperKey.Of(Guid.Empty, configId).Id), Sql.Text(configId), Sql.Json(configuration.Json), Sql.Time(now));

    private const string LatestSql = $"""
        SELECT {Columns} FROM mapper_configs c
        WHERE c.tenant_id = $1 AND c.version = (SELECT max(n.version) FROM mapper_configs n WHERE n.tenant_id = c.tenant_id AND n.config_id = c.config_id)
          AND ($2::text IS NULL OR c.status = $2) AND ($3::text IS NULL OR c.config_id > $3)
        ORDER BY c.config_id LIMIT $4 OFFSET $5
        """;

    /// <summary>The newest version of each, by name.</summary>
    public Task<List<MapperVersionView>> Latest(Guid tenant, MapperStatus? status, string? after, int limit, int offset, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), LatestSql,
        [Sql.Uuid(tenant), Sql.Text(status is { } only ? Word(only) : null), Sql.Text(after), Sql.Int(limit), Sql.Int(offset)], Map, cancel);

    private const string CountSql = """
        SELECT count(*) FROM mapper_configs c
        WHERE c.tenant_id = $1 AND c.version = (SELECT max(n.version) FROM mapper_configs n WHERE n.tenant_id = c.tenant_id AND n.config_id = c.config_id)
          AND ($2::text IS NULL OR c.status = $2)
        """;

    public async Task<long> Count(Guid tenant, MapperStatus? status, CancellationToken cancel) => (await database.ReadValue(
        RowScope.OfTenant(tenant), CountSql, [Sql.Uuid(tenant), Sql.Text(status is { } only ? Word(only) : null)], row => row.GetInt64(0), cancel))!.Value;

    private const string VersionsSql = $"SELECT {Columns} FROM mapper_configs c WHERE c.tenant_id = $1 AND c.config_id = $2 ORDER BY c.version DESC";

    /// <summary>The newest first.</summary>
    public Task<List<MapperVersionView>> Versions(Guid tenant, string configId, CancellationToken cancel = default) => database.ReadMany(
        RowScope.OfTenant(tenant), VersionsSql, [Sql.Uuid(tenant), Sql.Text(configId)], Map, cancel);

    private const string FindSql = $"SELECT {Columns} FROM mapper_configs c WHERE c.tenant_id = $1 AND c.id = $2";

    public Task<MapperVersionView?> Find(Guid tenant, Guid id, CancellationToken cancel = default) => database.ReadOne(
        RowScope.OfTenant(tenant), FindSql, [Sql.Uuid(tenant), Sql.Uuid(id)], Map, cancel);

    public static string Word(MapperStatus status) => status switch
    {
        MapperStatus.Draft => "draft",
        MapperStatus.Active => "active",
        _ => "deprecated",
    };

    public static MapperStatus? StatusOf(string? word) => word switch
    {
        "draft" => MapperStatus.Draft,
        "active" => MapperStatus.Active,
        "deprecated" => MapperStatus.Deprecated,
        _ => null,
    };

    private static MapperVersionView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetInt32(2), new JsonText(row.GetString(3)), StatusOf(row.GetString(4))!.Value, row.GetInt32(5),
        row.Time(6), row.Time(7), row.GuidOrNull(8));
}
