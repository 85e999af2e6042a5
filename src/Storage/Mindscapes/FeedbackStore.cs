using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <summary>Feedback as the weight of its rule learns from it.</summary>
public sealed record RuleFeedback(Guid Id, Guid Person, string Rule, bool? Helpful, bool IsApplied, DateTimeOffset At);

/// <summary>Counts over some time.</summary>
public sealed record FeedbackCounts(long Total, long Positive, long Negative, long Neutral, double? AverageRating);

public sealed record TypeCounts(string Type, long Total, long Positive, long Negative, long Neutral);

/// <summary>What people said of the personas that were made.</summary>
public sealed class FeedbackStore(Database database)
{
    // Helpful or not as somebody said, or else as the rating says: 4 and 5 are, 1 and 2 aren't, 3 is neither.
    private const string Opinion = "coalesce(f.helpful, CASE WHEN f.rating >= 4 THEN true WHEN f.rating <= 2 THEN false END)";

    private const string Columns = "f.id, f.person_id, f.persona_id, f.rating, f.helpful, f.context, f.rule_id, f.mapper_version, f.created_at";

    private const string InsertSql = """
        INSERT INTO feedback (tenant_id, id, person_id, persona_id, rating, helpful, context, rule_id, suggestion_type, mapper_config_id, mapper_version, client_id, is_applied, has_lowered, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        """;

    /// <param name="isApplied">No rule's weight has to learn from it.</param>
    public static void Insert(
        ScopedBatch batch, Guid tenant, FeedbackView feedback, string? type, string mapper, string? clientId, bool isApplied, bool hasLowered, Guid by) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(feedback.Id), Sql.Uuid(feedback.PersonId), Sql.Uuid(feedback.PersonaId), Sql.Int(feedback.Rating), Sql.Bool(feedback.Helpful),
        Sql.Json(feedback.Context.Json), Sql.Text(feedback.RuleId), Sql.Text(type), Sql.Text(mapper), Sql.Int(feedback.MapperVersion), Sql.Text(clientId),
        Sql.Bool(isApplied), Sql.Bool(hasLowered), Sql.Time(feedback.CreatedAt), Sql.Uuid(by == Guid.Empty ? null : by));

    private const string ByClientIdSql = $"SELECT {Columns} FROM feedback f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.client_id = $3";

    public Task<FeedbackView?> ByClientId(Guid tenant, Guid person, string clientId) => database.ReadOne(
        RowScope.OfUser(tenant, person), ByClientIdSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(clientId)], Map);

    private const string SinceSql = "SELECT count(*) FROM feedback f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.created_at > $3";

    public async Task<long> Since(Guid tenant, Guid person, DateTimeOffset since) => (await database.ReadValue(
        RowScope.OfUser(tenant, person), SinceSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(since)], row => row.GetInt64(0)))!.Value;

    private const string NegativesSql = $"""
        SELECT count(*) FROM feedback f
        WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.rule_id IS NULL AND f.suggestion_type = $3 AND NOT {Opinion}
          AND f.created_at > greatest($4::timestamptz, (SELECT max(l.created_at) FROM feedback l
            WHERE l.tenant_id = $1 AND l.person_id = $2 AND l.suggestion_type = $3 AND l.has_lowered))
        """;

    /// <summary>How many of a person's answers about a type of suggestion weren't helpful, since then and since the last that lowered anything.</summary>
    public async Task<long> Negatives(Guid tenant, Guid person, string type, DateTimeOffset since) => (await database.ReadValue(
        RowScope.OfUser(tenant, person), NegativesSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(type), Sql.Time(since)], row => row.GetInt64(0)))!.Value;

    private const string OfMapperSql = $"""
        SELECT f.id, f.person_id, f.rule_id, {Opinion}, f.is_applied, f.created_at FROM feedback f
        WHERE f.tenant_id = $1 AND f.mapper_config_id = $2 AND f.rule_id IN
          (SELECT u.rule_id FROM feedback u WHERE u.tenant_id = $1 AND u.mapper_config_id = $2 AND NOT u.is_applied)
          AND (NOT f.is_applied OR f.created_at > $3)
        ORDER BY f.created_at, f.id
        """;

    /// <summary>What a mapper's weights haven't learnt from yet, and what else was said lately of the same rules.</summary>
    public Task<List<RuleFeedback>> OfMapper(Guid tenant, string configId, DateTimeOffset since) => database.ReadMany(
        RowScope.OfTenant(tenant), OfMapperSql, [Sql.Uuid(tenant), Sql.Text(configId), Sql.Time(since)],
        row => new RuleFeedback(row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.ValueOrNull<bool>(3), row.GetBoolean(4), row.Time(5)));

    private const string AppliedSql = """
        WITH changed AS (UPDATE feedback SET is_applied = true WHERE tenant_id = $1 AND id = ANY ($2) AND NOT is_applied RETURNING 1)
        SELECT CASE WHEN (SELECT count(*) FROM changed) <> cardinality($2) THEN must_hit(0, 'feedback') END
        """;

    /// <summary>Each once: the batch fails where another had learnt from one of them.</summary>
    public static void Applied(ScopedBatch batch, Guid tenant, Guid[] ids) => batch.AddGuarded(AppliedSql, Sql.Uuid(tenant), Sql.Uuids(ids));

    private const string CountsSql = $"""
        SELECT count(*), count(*) FILTER (WHERE {Opinion}), count(*) FILTER (WHERE NOT {Opinion}), count(*) FILTER (WHERE {Opinion} IS NULL), avg(f.rating)::double precision
        FROM feedback f
        WHERE f.tenant_id = $1 AND ($2::uuid IS NULL OR f.person_id = $2) AND ($3::text IS NULL OR f.mapper_config_id = $3) AND f.created_at > $4
        """;

    public async Task<FeedbackCounts> Counts(RowScope scope, Guid? person, string? mapper, DateTimeOffset since, CancellationToken cancel) => (await database.ReadOne(
        scope, CountsSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Text(mapper), Sql.Time(since)],
        row => new FeedbackCounts(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.ValueOrNull<double>(4)), cancel))!;

    private const string TypesSql = $"""
        SELECT coalesce(f.suggestion_type, 'unknown'), count(*), count(*) FILTER (WHERE {Opinion}), count(*) FILTER (WHERE NOT {Opinion}), count(*) FILTER (WHERE {Opinion} IS NULL)
        FROM feedback f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.created_at > $3 GROUP BY 1 ORDER BY 1
        """;

    public Task<List<TypeCounts>> ByType(RowScope scope, Guid person, DateTimeOffset since, CancellationToken cancel) => database.ReadMany(
        scope, TypesSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Time(since)],
        row => new TypeCounts(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), cancel);

    private const string PersonasSql = """
        SELECT count(*) FROM generated_personas p WHERE p.tenant_id = $1 AND p.mapper_config_id = $2 AND p.created_at > $3 AND ($4::uuid IS NULL OR p.person_id = $4)
        """;

    /// <summary>How many personas a mapper made.</summary>
    public async Task<long> Personas(RowScope scope, string mapper, DateTimeOffset since, CancellationToken cancel) => (await database.ReadValue(
        scope, PersonasSql, [Sql.Uuid(scope.Tenant), Sql.Text(mapper), Sql.Time(since), Sql.Uuid(scope.User)], row => row.GetInt64(0), cancel))!.Value;

    private const string ListSql = $"""
        SELECT {Columns} FROM feedback f WHERE f.tenant_id = $1 AND ($2::uuid IS NULL OR f.person_id = $2) AND ($3::uuid IS NULL OR f.id < $3) ORDER BY f.id DESC LIMIT $4
        """;

    /// <summary>The newest first.</summary>
    public Task<List<FeedbackView>> List(RowScope scope, Guid? person, Guid? before, int limit, CancellationToken cancel) => database.ReadMany(
        scope, ListSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Uuid(before), Sql.Int(limit)], Map, cancel);

    private static FeedbackView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.ValueOrNull<int>(3), row.ValueOrNull<bool>(4), new JsonText(row.GetString(5)), row.TextOrNull(6),
        row.GetInt32(7), row.Time(8));
}
