using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <summary>Personas that were made of mindscapes. Those that expired are kept for analytics.</summary>
public sealed class GeneratedPersonaStore(Database database)
{
    private const string InsertSql = """
        INSERT INTO generated_personas (tenant_id, id, person_id, mapper_id, mapper_config_id, mapper_version, mindscape_version, core, overlay, metadata, created_at, expires_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, GeneratedPersonaView persona, Guid by) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(persona.Id), Sql.Uuid(persona.PersonId), Sql.Uuid(persona.MapperId), Sql.Text(persona.MapperConfigId),
        Sql.Int(persona.MapperVersion), Sql.Bigint(persona.MindscapeVersion), Sql.Json(persona.Core.Json), Sql.Json(persona.Overlay.Json),
        Sql.Json(persona.Metadata.Json), Sql.Time(persona.CreatedAt), Sql.Time(persona.ExpiresAt), Sql.Uuid(by == Guid.Empty ? null : by));

    // Stale is what the mindscape has moved on from since.
    private const string Columns = """
        p.id, p.person_id, p.mapper_id, p.mapper_config_id, p.mapper_version, p.mindscape_version, p.core, p.overlay, p.metadata, p.created_at, p.expires_at,
        p.mindscape_version < coalesce((SELECT m.version FROM mindscapes m WHERE m.tenant_id = p.tenant_id AND m.person_id = p.person_id), 0)
        """;

    private const string FindSql = $"SELECT {Columns} FROM generated_personas p WHERE p.tenant_id = $1 AND p.id = $2";

    public Task<GeneratedPersonaView?> Find(RowScope scope, Guid id, CancellationToken cancel = default) => database.ReadOne(
        scope, FindSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(id)], Map, cancel);

    private const string ListSql = $"""
        SELECT {Columns} FROM generated_personas p
        WHERE p.tenant_id = $1 AND ($2::uuid IS NULL OR p.person_id = $2) AND ($3::timestamptz IS NULL OR p.expires_at > $3)
          AND ($4::uuid IS NULL OR (p.created_at, p.id) < (SELECT b.created_at, b.id FROM generated_personas b WHERE b.tenant_id = $1 AND b.id = $4))
        ORDER BY p.created_at DESC, p.id DESC LIMIT $5 OFFSET $6
        """;

    /// <summary>The newest first.</summary>
    /// <param name="unexpired">Only those that hold at that time.</param>
    /// <param name="before">Only those made before this one.</param>
    public Task<List<GeneratedPersonaView>> List(
        RowScope scope, Guid? person, DateTimeOffset? unexpired, Guid? before, int limit, int offset, CancellationToken cancel) => database.ReadMany(
        scope, ListSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Time(unexpired), Sql.Uuid(before), Sql.Int(limit), Sql.Int(offset)], Map, cancel);

    private const string FreshSql = """
        SELECT p.id FROM generated_personas p
        WHERE p.tenant_id = $1 AND p.person_id = $2 AND p.expires_at > $3 AND p.mindscape_version = $4 ORDER BY p.created_at LIMIT 100
        """;

    /// <summary>Those that hold and were made of just this version: a change of it makes them stale.</summary>
    public Task<List<Guid>> Fresh(Guid tenant, Guid person, DateTimeOffset now, long version) => database.ReadMany(
        RowScope.OfUser(tenant, person), FreshSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(now), Sql.Bigint(version)], row => row.GetGuid(0));

    private static GeneratedPersonaView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetString(3), row.GetInt32(4), row.GetInt64(5), new JsonText(row.GetString(6)),
        new JsonText(row.GetString(7)), new JsonText(row.GetString(8)), row.Time(9), row.Time(10), row.GetBoolean(11));
}
