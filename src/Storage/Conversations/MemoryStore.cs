using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Conversations;

/// <summary>One whose embedding is to be made.</summary>
public sealed record UnembeddedMemory(Guid Tenant, Guid Id, long Version, string Content);

/// <summary>Notes of users. Embeddings are made after the commit, by the worker login: what it writes follows from the content.</summary>
public sealed class MemoryStore(Database database)
{
    public const string ContentKey = "memories_content";

    private const string Columns = "m.id, m.user_id, m.personality_id, m.content, m.tokens, m.source, m.version, m.created_at, m.updated_at";

    private const string InsertSql = """
        INSERT INTO memories (tenant_id, id, user_id, personality_id, content, tokens, source, version, created_at, updated_at)
        SELECT $1, m.id, $2, m."personalityId", m.content, m.tokens, m.source, m.version, m."createdAt", m."updatedAt"
        FROM json_to_recordset($3) AS m(id uuid, "personalityId" uuid, content text, tokens int, source text, version bigint, "createdAt" timestamptz, "updatedAt" timestamptz)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, Guid user, IReadOnlyList<UserMemoryView> memories) =>
        batch.Add(InsertSql, Sql.Uuid(tenant), Sql.Uuid(user), Sql.Json(JsonText.From(memories).Json));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE memories SET content = $4, tokens = $5, source = $6, version = $7, updated_at = $8,
            embedding = CASE WHEN content = $4 THEN embedding END, embedding_model = CASE WHEN content = $4 THEN embedding_model END
          WHERE tenant_id = $1 AND user_id = $2 AND id = $3 AND version = $7 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'memory') FROM changed
        """;

    public static void Update(ScopedBatch batch, Guid tenant, UserMemoryView memory) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(memory.UserId), Sql.Uuid(memory.Id), Sql.Text(memory.Content), Sql.Int(memory.Tokens), Sql.Text(memory.Source),
        Sql.Bigint(memory.Version), Sql.Time(memory.UpdatedAt));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM memories WHERE tenant_id = $1 AND user_id = $2 AND id = $3 AND version = $4 RETURNING 1)
        SELECT must_hit(count(*), 'memory') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, UserMemoryView memory) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(memory.UserId), Sql.Uuid(memory.Id), Sql.Bigint(memory.Version));

    private const string FindSql = $"SELECT {Columns} FROM memories m WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.id = $3";

    public Task<UserMemoryView?> Find(Guid tenant, Guid user, Guid id, CancellationToken cancel = default) =>
        database.ReadOne(RowScope.OfUser(tenant, user), FindSql, [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(id)], Map, cancel);

    private const string FindOwnerSql = "SELECT user_id FROM memories WHERE tenant_id = $1 AND id = $2";

    public Task<Guid?> FindOwner(Guid tenant, Guid id, CancellationToken cancel) =>
        database.ReadValue(RowScope.OfTenant(tenant), FindOwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => row.GetGuid(0), cancel);

    private const string KnownSql = $"SELECT {Columns} FROM memories m WHERE m.tenant_id = $1 AND m.user_id = $2 AND md5(m.content) IN (SELECT md5(c) FROM unnest($3::text[]) AS c)";

    /// <summary>Those that say one of these.</summary>
    public Task<List<UserMemoryView>> Known(Guid tenant, Guid user, string[] contents) =>
        database.ReadMany(RowScope.OfUser(tenant, user), KnownSql, [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Texts(contents)], Map);

    private const string ListSql = $"""
        SELECT {Columns} FROM memories m
        WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.id > $3 AND ($4::uuid IS NULL OR m.personality_id = $4)
          AND ($5::text IS NULL OR strpos(lower(m.content), lower($5)) > 0)
        ORDER BY m.id LIMIT $6
        """;

    public Task<List<UserMemoryView>> List(Guid tenant, Guid user, Guid? personality, Guid after, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, user), ListSql,
        [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(after), Sql.Uuid(personality), Sql.Text(search), Sql.Int(limit)], Map, cancel);

    private const string NearestSql = $"""
        SELECT {Columns} FROM memories m
        WHERE m.tenant_id = $1 AND m.user_id = $2 AND (m.personality_id = $3 OR m.personality_id IS NULL) AND m.embedding_model = $5
          AND m.embedding <=> $4 <= 1 - $6
        ORDER BY m.embedding <=> $4, m.id LIMIT $7
        """;

    /// <summary>The nearest of what a personality may recall of a user, or anybody: exactly, since there are few of one user.</summary>
    public Task<List<UserMemoryView>> Nearest(Guid tenant, Guid user, Guid? personality, TextVector query, double minCosine, int limit, CancellationToken cancel) =>
        database.ReadMany(RowScope.OfUser(tenant, user), NearestSql,
            [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(personality), Sql.Vector(query.Values), Sql.Text(query.Model), Sql.Double(minCosine), Sql.Int(limit)], Map, cancel);

    private const string UnembeddedSql = """
        SELECT tenant_id, id, version, content FROM memories WHERE embedding IS NULL AND (uuid_hash(id)::bigint & 2147483647) % $1 = $2 LIMIT $3
        """;

    public Task<List<UnembeddedMemory>> Unembedded(Part part, int limit, CancellationToken cancel) => database.Worker.Many(
        UnembeddedSql, static row => new UnembeddedMemory(row.GetGuid(0), row.GetGuid(1), row.GetInt64(2), row.GetString(3)), cancel,
        Sql.Int(part.Of), Sql.Int(part.Index), Sql.Int(limit));

    private const string EmbedSql = """
        UPDATE memories SET embedding = $4, embedding_model = $5 WHERE tenant_id = $1 AND id = $2 AND version = $3
        """;

    /// <summary>Unless the memory is another by now.</summary>
    public Task Embed(UnembeddedMemory memory, float[] embedding, string model, CancellationToken cancel) =>
        database.Worker.Run(EmbedSql, cancel, Sql.Uuid(memory.Tenant), Sql.Uuid(memory.Id), Sql.Bigint(memory.Version), Sql.Vector(embedding), Sql.Text(model));

    private static UserMemoryView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GuidOrNull(2), row.GetString(3), row.GetInt32(4), row.TextOrNull(5), row.GetInt64(6), row.Time(7), row.Time(8));
}
