using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Storage.Users;

/// <summary>
/// What users want otherwise with one personality. Written together with the user's own row, whose version refuses a
/// second writer; what says nothing (any more) the table itself removes.
/// </summary>
public sealed class OverrideStore(Database database)
{
    private const string PutSql = """
        INSERT INTO user_personality_configs (tenant_id, user_id, personality_id, persona_id, llm_config_id, settings, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (tenant_id, user_id, personality_id) DO UPDATE
        SET persona_id = excluded.persona_id, llm_config_id = excluded.llm_config_id, settings = excluded.settings, version = excluded.version,
          updated_at = excluded.updated_at
        """;

    public static void Put(ScopedBatch batch, Guid tenant, Guid user, OverrideView view) => batch.Add(PutSql,
        Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(view.PersonalityId), Sql.Uuid(view.PersonaId), Sql.Uuid(view.LlmConfigId),
        Sql.Jsonb(view.Settings.ToStored().Json), Sql.Bigint(view.Version), Sql.Time(view.UpdatedAt));

    private const string DeleteSql = "DELETE FROM user_personality_configs WHERE tenant_id = $1 AND user_id = $2 AND personality_id = $3";

    public static void Delete(ScopedBatch batch, Guid tenant, Guid user, Guid personality) =>
        batch.Add(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(personality));

    private const string ListSql = """
        SELECT personality_id, persona_id, llm_config_id, settings::text, updated_at, version FROM user_personality_configs
        WHERE tenant_id = $1 AND user_id = $2 AND personality_id > $3 ORDER BY personality_id LIMIT $4
        """;

    public Task<List<OverrideView>> List(Guid tenant, Guid user, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, user), ListSql, [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(after), Sql.Int(limit)], Map, cancel);

    private static OverrideView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GuidOrNull(1), row.GuidOrNull(2), SettingsTier.FromStored(row.GetString(3)), row.Time(4), row.GetInt64(5));
}
