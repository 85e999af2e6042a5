using NpgsqlTypes;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Storage.Catalogue;

/// <summary>LLM configs: the global ones, which the tenant's catalogue writes, and users' own, which their grains write.</summary>
public sealed class LlmConfigStore(Database database)
{
    public const string NameKey = "llm_configs_name";
    public const string DefaultKey = "llm_configs_default";
    public const string OwnerReference = "llm_configs_tenant_id_owner_id_fkey";
    public const string FreeDefaultKey = "llm_configs_free_default";

    /// <summary>In the order that <see cref="Map"/> reads.</summary>
    internal const string Columns = """
        id, owner_id, name, description, model, vision_model, provider, temperature, top_p, min_p, top_a, top_k, frequency_penalty,
        presence_penalty, repetition_penalty, max_tokens, context_window_tokens, stop, seed, logit_bias, response_format, reasoning,
        memory_score_threshold, memory_limit, is_default, is_free_default, version, created_at, updated_at
        """;

    internal const string GlobalSql = $"SELECT {Columns} FROM llm_configs WHERE tenant_id = $1 AND owner_id IS NULL";

    private const string OwnedSql = $"SELECT {Columns} FROM llm_configs WHERE tenant_id = $1 AND owner_id = $2";

    public Task<List<LlmConfigView>> LoadGlobal(Guid tenant) =>
        database.ReadMany(RowScope.OfTenant(tenant), GlobalSql, [Sql.Uuid(tenant)], Map);

    public Task<List<LlmConfigView>> LoadOwned(Guid tenant, Guid owner) =>
        database.ReadMany(RowScope.OfUser(tenant, owner), OwnedSql, [Sql.Uuid(tenant), Sql.Uuid(owner)], Map);

    private const string ListSql = $"""
        SELECT {Columns} FROM llm_configs
        WHERE tenant_id = $1 AND (owner_id IS NULL OR owner_id = $2) AND id > $3 AND ($5::text IS NULL OR strpos(lower(name), lower($5)) > 0) ORDER BY id LIMIT $4
        """;

    /// <summary>The global ones, and those of the user if there is one.</summary>
    public Task<List<LlmConfigView>> List(Guid tenant, Guid? user, Guid after, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        user is { } own ? RowScope.OfUser(tenant, own) : RowScope.OfTenant(tenant), ListSql,
        [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], Map, cancel);

    private sealed record Ownership(Guid? Owner);

    private const string FindOwnerSql = "SELECT owner_id FROM llm_configs WHERE tenant_id = $1 AND id = $2";

    /// <summary>Whose config it is, so that its writer can be asked: nobody's (global) or a user's.</summary>
    public async Task<(bool Exists, Guid? Owner)> FindOwner(Guid tenant, Guid id, CancellationToken cancel) =>
        await database.ReadOne(RowScope.OfTenant(tenant), FindOwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => new Ownership(row.GuidOrNull(0)), cancel) is { } found
            ? (true, found.Owner)
            : (false, null);

    private const string InsertSql = $"""
        INSERT INTO llm_configs (tenant_id, {Columns})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, LlmConfigView config) =>
        batch.Add(InsertSql, [.. Parameters(tenant, config), Sql.Time(config.CreatedAt), Sql.Time(config.UpdatedAt)]);

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE llm_configs SET owner_id = $3, name = $4, description = $5, model = $6, vision_model = $7, provider = $8, temperature = $9,
            top_p = $10, min_p = $11, top_a = $12, top_k = $13, frequency_penalty = $14, presence_penalty = $15, repetition_penalty = $16,
            max_tokens = $17, context_window_tokens = $18, stop = $19, seed = $20, logit_bias = $21, response_format = $22, reasoning = $23,
            memory_score_threshold = $24, memory_limit = $25, is_default = $26, is_free_default = $27, version = $28, updated_at = $29
          WHERE tenant_id = $1 AND id = $2 AND version = $28 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'config') FROM changed
        """;

    /// <summary>Writes the config as it is to be; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, LlmConfigView config) =>
        batch.AddGuarded(UpdateSql, [.. Parameters(tenant, config), Sql.Time(config.UpdatedAt)]);

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM llm_configs WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'config') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, LlmConfigView config) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(config.Id), Sql.Bigint(config.Version));

    private static NpgsqlParameter[] Parameters(Guid tenant, LlmConfigView config) =>
    [
        Sql.Uuid(tenant), Sql.Uuid(config.Id), Sql.Uuid(config.OwnerId), Sql.Text(config.Name), Sql.Text(config.Description), Sql.Text(config.Model),
        Sql.Text(config.VisionModel), Sql.Text(config.Provider), Sql.Double(config.Temperature), Sql.Double(config.TopP), Sql.Double(config.MinP),
        Sql.Double(config.TopA), Sql.Int(config.TopK), Sql.Double(config.FrequencyPenalty), Sql.Double(config.PresencePenalty),
        Sql.Double(config.RepetitionPenalty), Sql.Int(config.MaxTokens), Sql.Int(config.ContextWindowTokens), TextsOrNull(config.Stop),
        Sql.Bigint(config.Seed), Sql.Json(config.LogitBias?.Json), Sql.Json(config.ResponseFormat?.Json), Sql.Text(ReasoningName(config.Reasoning)),
        Sql.Double(config.MemoryScoreThreshold), Sql.Int(config.MemoryLimit), Sql.Bool(config.IsDefault), Sql.Bool(config.IsFreeDefault),
        Sql.Bigint(config.Version),
    ];

    private static NpgsqlParameter TextsOrNull(IReadOnlyList<string>? texts) => texts is null
        ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }
        : Sql.Texts([.. texts]);

    private static string? ReasoningName(Reasoning? reasoning) => reasoning switch
    {
        null => null,
        Reasoning.Off => "off",
        Reasoning.Minimal => "minimal",
        Reasoning.Low => "low",
        Reasoning.Medium => "medium",
        Reasoning.High => "high",
        Reasoning.Max => "max",
        _ => throw new ArgumentOutOfRangeException(nameof(reasoning)),
    };

    private static Reasoning? ReasoningOf(string? name) => name switch
    {
        null => null,
        "minimal" => Reasoning.Minimal,
        "low" => Reasoning.Low,
        "medium" => Reasoning.Medium,
        "high" => Reasoning.High,
        "max" => Reasoning.Max,
        _ => Reasoning.Off,
    };

    internal static LlmConfigView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GuidOrNull(1), row.GetString(2), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5), row.TextOrNull(6),
        row.ValueOrNull<double>(7), row.ValueOrNull<double>(8), row.ValueOrNull<double>(9), row.ValueOrNull<double>(10), row.ValueOrNull<int>(11),
        row.ValueOrNull<double>(12), row.ValueOrNull<double>(13), row.ValueOrNull<double>(14), row.ValueOrNull<int>(15), row.ValueOrNull<int>(16),
        row.IsDBNull(17) ? null : row.GetFieldValue<string[]>(17).ToItems(), row.ValueOrNull<long>(18), row.JsonOrNull(19), row.JsonOrNull(20),
        ReasoningOf(row.TextOrNull(21)), row.ValueOrNull<double>(22), row.ValueOrNull<int>(23), row.GetBoolean(24), row.GetBoolean(25),
        row.GetInt64(26), row.Time(27), row.Time(28));
}
