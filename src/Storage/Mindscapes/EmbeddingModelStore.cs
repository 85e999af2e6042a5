namespace PersonaActors.Storage.Mindscapes;

/// <summary>The model that this service embeds by. Vectors of another count for nothing, as if they weren't there.</summary>
public sealed record OwnModel(string Name);

/// <param name="Version">Of the narrative or note whose text it is.</param>
public sealed record OutdatedText(Guid Owner, Guid Id, long Version, string Text);

/// <summary>What other models embedded.</summary>
public sealed class EmbeddingModelStore(Database database, OwnModel own)
{
    public const string JobKind = "re-embedding";

    private const string TenantsSql = """
        SELECT o.tenant_id FROM (
          SELECT v.tenant_id FROM narrative_vectors v WHERE v.model < $1 OR v.model > $1
          UNION SELECT m.tenant_id FROM memories m WHERE m.embedding_model < $1 OR m.embedding_model > $1) AS o
        WHERE (uuid_hash(o.tenant_id)::bigint & 2147483647) % $2 = $3
          AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = o.tenant_id AND j.kind = $4 AND (j.status = 'running' OR j.created_at > $5))
        """;

    /// <summary>Tenants of a part that have any, and for which no job runs or began lately.</summary>
    public Task<List<Guid>> Tenants(Part part, DateTimeOffset lately, CancellationToken cancel) => database.Worker.Many(
        TenantsSql, static row => row.GetGuid(0), cancel, Sql.Text(own.Name), Sql.Int(part.Of), Sql.Int(part.Index), Sql.Text(JobKind), Sql.Time(lately));

    private const string CountSql = """
        SELECT (SELECT count(*) FROM narrative_vectors v WHERE v.tenant_id = $1 AND v.model <> $2) + (SELECT count(*) FROM memories m WHERE m.tenant_id = $1 AND m.embedding_model <> $2)
        """;

    public async Task<long> Count(Guid tenant, CancellationToken cancel) =>
        (await database.ReadValue(RowScope.OfTenant(tenant), CountSql, [Sql.Uuid(tenant), Sql.Text(own.Name)], row => row.GetInt64(0), cancel))!.Value;

    private const string NarrativesSql = """
        SELECT n.person_id, n.id, n.version::bigint, n.text FROM (
          SELECT v.person_id, v.narrative_id FROM narrative_vectors v
          WHERE v.tenant_id = $1 AND (v.person_id, v.narrative_id) > ($3, $4) AND v.model <> $2 ORDER BY v.person_id, v.narrative_id LIMIT $5) AS o
        JOIN narratives n ON n.tenant_id = $1 AND n.person_id = o.person_id AND n.id = o.narrative_id ORDER BY n.person_id, n.id
        """;

    /// <summary>Person by person.</summary>
    public Task<List<OutdatedText>> Narratives(Guid tenant, Guid afterPerson, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), NarrativesSql, [Sql.Uuid(tenant), Sql.Text(own.Name), Sql.Uuid(afterPerson), Sql.Uuid(after), Sql.Int(limit)], Map, cancel);

    private const string MemoriesSql = """
        SELECT m.user_id, m.id, m.version, m.content FROM memories m WHERE m.tenant_id = $1 AND m.id > $3 AND m.embedding_model <> $2 ORDER BY m.id LIMIT $4
        """;

    public Task<List<OutdatedText>> Memories(Guid tenant, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), MemoriesSql, [Sql.Uuid(tenant), Sql.Text(own.Name), Sql.Uuid(after), Sql.Int(limit)], Map, cancel);

    private static OutdatedText Map(Npgsql.NpgsqlDataReader row) => new(row.GetGuid(0), row.GetGuid(1), row.GetInt64(2), row.GetString(3));
}
