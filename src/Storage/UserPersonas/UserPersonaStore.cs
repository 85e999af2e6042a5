using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Storage.UserPersonas;

/// <summary>A user persona as its grain holds it, and the position of its stream at that state.</summary>
public sealed record UserPersonaRow(UserPersonaView View, long Seq);

public sealed class UserPersonaStore(Database database)
{
    public const string OwnerReference = "user_personas_tenant_id_user_id_fkey";
    public const string UsageUserReference = "persona_usage_log_tenant_id_user_id_fkey";

    /// <summary>In the order that <see cref="Map"/> reads.</summary>
    private const string Columns = """
        id, user_id, persona_name, display_name, avatar_url, system_prompt, voice_id, personality_traits, knowledge_domains, conversation_style,
        is_public, usage_count, version, created_at, updated_at
        """;

    private const string LoadSql = $"""
        SELECT {Columns}, (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3)
        FROM user_personas WHERE tenant_id = $1 AND id = $2
        """;

    /// <summary>Its grain's key names no owner, so this looks in the whole tenant.</summary>
    public Task<UserPersonaRow?> Load(Guid tenant, Guid id, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfTenant(tenant), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(id), Sql.Text(epoch.Stream)],
        row => new UserPersonaRow(Map(row), row.ValueOrNull<long>(15) ?? 0));

    private const string IdsSql = "SELECT id FROM user_personas WHERE tenant_id = $1 AND user_id = $2";

    public Task<List<Guid>> Ids(Guid tenant, Guid owner) =>
        database.ReadMany(RowScope.OfUser(tenant, owner), IdsSql, [Sql.Uuid(tenant), Sql.Uuid(owner)], row => row.GetGuid(0));

    private const string InsertSql = $"""
        INSERT INTO user_personas (tenant_id, {Columns})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $14)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, UserPersonaView persona) => batch.Add(InsertSql, Parameters(tenant, persona, persona.CreatedAt));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE user_personas SET persona_name = $4, display_name = $5, avatar_url = $6, system_prompt = $7, voice_id = $8,
            personality_traits = $9, knowledge_domains = $10, conversation_style = $11, is_public = $12, version = $13, updated_at = $14
          WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND version = $13 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'user persona') FROM changed
        """;

    /// <summary>Writes the user persona as it is to be, its count excepted; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, UserPersonaView persona) => batch.AddGuarded(UpdateSql, Parameters(tenant, persona, persona.UpdatedAt));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM user_personas WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'user persona') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, UserPersonaView persona) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(persona.Id), Sql.Bigint(persona.Version));

    private const string LogUseSql =
        "INSERT INTO persona_usage_log (tenant_id, id, persona_id, user_id, chat_id, tokens_used, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

    private const string CountUseSql = """
        WITH changed AS (
          UPDATE user_personas SET usage_count = $3 WHERE tenant_id = $1 AND id = $2 AND usage_count = $3 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'user persona') FROM changed
        """;

    /// <summary>The log row and the counter; the count says which one it follows.</summary>
    public static void Use(ScopedBatch batch, Guid tenant, UserPersonaUsage usage)
    {
        batch.AddGuarded(CountUseSql, Sql.Uuid(tenant), Sql.Uuid(usage.PersonaId), Sql.Bigint(usage.UsageCount));
        batch.Add(LogUseSql, Sql.Uuid(tenant), Sql.Uuid(usage.Id), Sql.Uuid(usage.PersonaId), Sql.Uuid(usage.UserId), Sql.Text(usage.Channel),
            Sql.Int(usage.Tokens), Sql.Time(usage.At));
    }

    private const string ListSql = $"""
        SELECT * FROM (
          (SELECT {Columns} FROM user_personas
           WHERE tenant_id = $1 AND user_id = $2 AND (usage_count < $3 OR (usage_count = $3 AND id > $4))
             AND ($6::text IS NULL OR strpos(lower(persona_name), lower($6)) > 0)
           ORDER BY usage_count DESC, id LIMIT $5)
          UNION ALL
          (SELECT {Columns} FROM user_personas
           WHERE tenant_id = $1 AND is_public AND user_id <> $2 AND (usage_count < $3 OR (usage_count = $3 AND id > $4))
             AND ($6::text IS NULL OR strpos(lower(persona_name), lower($6)) > 0)
           ORDER BY usage_count DESC, id LIMIT $5)) AS both_kinds
        ORDER BY usage_count DESC, id LIMIT $5
        """;

    /// <summary>The user's own and the public ones of the tenant, most used first; after a count and an id, which together are the order.</summary>
    public Task<List<UserPersonaView>> List(Guid tenant, Guid user, long afterCount, Guid after, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, user), ListSql,
        [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Bigint(afterCount), Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], Map, cancel);

    private const string StatsSql = """
        SELECT p.usage_count, coalesce(sum(l.tokens_used), 0)::bigint, min(l.created_at), max(l.created_at)
        FROM user_personas p
        LEFT JOIN persona_usage_log l ON l.tenant_id = p.tenant_id AND l.persona_id = p.id
        WHERE p.tenant_id = $1 AND p.id = $2
        GROUP BY p.usage_count
        """;

    /// <summary>Over the uses of everybody, so in the whole tenant; whether the caller may use it is checked before.</summary>
    public Task<UserPersonaStats?> Stats(Guid tenant, Guid id, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), StatsSql, [Sql.Uuid(tenant), Sql.Uuid(id)],
        row => new UserPersonaStats(row.GetInt64(0), row.GetInt64(1), row.TimeOrNull(2), row.TimeOrNull(3)), cancel);

    private static NpgsqlParameter[] Parameters(Guid tenant, UserPersonaView persona, DateTimeOffset at) =>
    [
        Sql.Uuid(tenant), Sql.Uuid(persona.Id), Sql.Uuid(persona.OwnerId), Sql.Text(persona.Name), Sql.Text(persona.DisplayName),
        Sql.Text(persona.AvatarUrl), Sql.Text(persona.SystemPrompt), Sql.Text(persona.VoiceId), Sql.Jsonb(JsonText.From(persona.Traits).Json),
        Sql.Jsonb(JsonText.From(persona.Domains).Json), Sql.Json(persona.Style.Json), Sql.Bool(persona.IsPublic), Sql.Bigint(persona.Version), Sql.Time(at),
    ];

    private static UserPersonaView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.TextOrNull(3), row.TextOrNull(4), row.GetString(5), row.TextOrNull(6),
        new JsonText(row.GetString(7)).Read<Items<string>>(), new JsonText(row.GetString(8)).Read<Items<string>>(), new JsonText(row.GetString(9)),
        row.GetBoolean(10), row.GetInt64(11), row.GetInt64(12), row.Time(13), row.Time(14));
}
