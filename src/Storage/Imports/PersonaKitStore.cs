namespace PersonaActors.Storage.Imports;

/// <param name="Id">What it is there.</param>
public abstract record PastRow(string Id);

/// <summary>A persona that PersonaKit made: of an older mindscape than any here.</summary>
/// <param name="Mapper">The version here that is the one it was made by.</param>
public sealed record PastPersona(
    string Id, Guid Person, Guid Mapper, JsonText Core, JsonText Overlay, JsonText Metadata, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt) : PastRow(Id);

/// <param name="Narrative">By its id there.</param>
public sealed record PastUsage(string Id, Guid Persona, string Narrative, string Type, double Relevance, DateTimeOffset At) : PastRow(Id);

/// <param name="Key">Its id here, in whose order feedback is listed.</param>
public sealed record PastFeedback(
    string Id, Guid Key, Guid Persona, int? Rating, bool? Helpful, JsonText Context, string? Rule, string? Type, int? MapperVersion, DateTimeOffset CreatedAt) : PastRow(Id);

/// <summary>How rows of one table are found and written here.</summary>
public sealed record PastTable<T>(string KnownSql, string TakeSql)
    where T : PastRow;

/// <summary>
/// What PersonaKit made of people and heard of it: rows that are over, that no grain has in memory and of which nothing follows.
/// So they are written as they were, each once.
/// </summary>
public sealed class PersonaKitStore(Database database)
{
    private const string Persona = """
        json_to_recordset($2) AS t(id text, person uuid, mapper uuid, core json, overlay json, metadata json, "createdAt" timestamptz, "expiresAt" timestamptz)
        """;

    private const string Usage = """
        json_to_recordset($2) AS t(id text, persona uuid, narrative text, type text, relevance double precision, at timestamptz)
        JOIN generated_personas p ON p.tenant_id = $1 AND p.id = t.persona
        JOIN narratives n ON n.tenant_id = $1 AND n.person_id = p.person_id AND n.client_id = t.narrative
        """;

    private const string Feedback = """
        json_to_recordset($2) AS t(id text, key uuid, persona uuid, rating int, helpful boolean, context json, rule text, type text, "mapperVersion" int, "createdAt" timestamptz)
        """;

    private const string KnownPersonasSql = $"SELECT t.id FROM {Persona} JOIN generated_personas p ON p.tenant_id = $1 AND p.id = t.id::uuid";

    private const string TakePersonasSql = $"""
        WITH told AS (
          SELECT t.*, m.config_id, m.version FROM {Persona}
          JOIN users u ON u.tenant_id = $1 AND u.id = t.person JOIN mapper_configs m ON m.tenant_id = $1 AND m.id = t.mapper),
        put AS (
          INSERT INTO generated_personas (tenant_id, id, person_id, mapper_id, mapper_config_id, mapper_version, mindscape_version, core, overlay, metadata, created_at, expires_at)
          SELECT $1, t.id::uuid, t.person, t.mapper, t.config_id, t.version, 0, t.core, t.overlay, t.metadata, t."createdAt", t."expiresAt" FROM told t
          ON CONFLICT DO NOTHING)
        SELECT id FROM told
        """;

    private const string KnownUsagesSql = $"""
        SELECT t.id FROM {Usage}
        JOIN persona_narrative_usage k ON k.tenant_id = $1 AND k.person_id = p.person_id AND k.persona_id = p.id AND k.narrative_id = n.id AND k.usage_type = t.type
        """;

    private const string TakeUsagesSql = $"""
        WITH told AS (SELECT t.*, p.person_id, n.id AS narrative_id FROM {Usage}),
        put AS (
          INSERT INTO persona_narrative_usage (tenant_id, person_id, persona_id, narrative_id, usage_type, relevance, used_at)
          SELECT $1, t.person_id, t.persona, t.narrative_id, t.type, t.relevance, t.at FROM told t
          ON CONFLICT DO NOTHING)
        SELECT id FROM told
        """;

    private const string KnownFeedbackSql = $"SELECT t.id FROM {Feedback} JOIN feedback f ON f.tenant_id = $1 AND f.id = t.key";

    // What it did there is in the weights: nothing has to learn from it.
    private const string TakeFeedbackSql = $"""
        WITH told AS (
          SELECT t.*, p.person_id, p.mapper_config_id, coalesce(t."mapperVersion", p.mapper_version) AS mapper_version FROM {Feedback}
          JOIN generated_personas p ON p.tenant_id = $1 AND p.id = t.persona),
        put AS (
          INSERT INTO feedback (tenant_id, id, person_id, persona_id, rating, helpful, context, rule_id, suggestion_type, mapper_config_id, mapper_version, client_id, is_applied, created_at)
          SELECT $1, t.key, t.person_id, t.persona, t.rating, t.helpful, t.context, t.rule, t.type, t.mapper_config_id, t.mapper_version, t.id, true, t."createdAt" FROM told t
          ON CONFLICT DO NOTHING)
        SELECT id FROM told
        """;

    public static readonly PastTable<PastPersona> Personas = new(KnownPersonasSql, TakePersonasSql);

    public static readonly PastTable<PastUsage> Usages = new(KnownUsagesSql, TakeUsagesSql);

    public static readonly PastTable<PastFeedback> Feedbacks = new(KnownFeedbackSql, TakeFeedbackSql);

    /// <returns>The ids of those that have been taken over.</returns>
    public Task<HashSet<string>> Known<T>(PastTable<T> of, Guid tenant, IReadOnlyList<T> rows, CancellationToken cancel)
        where T : PastRow => Ids(of.KnownSql, tenant, rows, cancel);

    /// <returns>The ids of those whose person, or persona and narrative, are here; the others aren't written.</returns>
    public Task<HashSet<string>> Take<T>(PastTable<T> of, Guid tenant, IReadOnlyList<T> rows, CancellationToken cancel)
        where T : PastRow => Ids(of.TakeSql, tenant, rows, cancel);

    private async Task<HashSet<string>> Ids<T>(string sql, Guid tenant, IReadOnlyList<T> rows, CancellationToken cancel) => rows.Count == 0 ? [] : [.. await database.ReadMany(
        RowScope.OfTenant(tenant), sql, [Sql.Uuid(tenant), Sql.Json(JsonText.From(rows).Json)], row => row.GetString(0), cancel)];
}
