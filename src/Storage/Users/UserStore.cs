using System.Collections.Immutable;
using System.Text.Json;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Storage.Users;

/// <summary>A user as its grain holds it: what GET answers, what else a prompt needs of it, and the position of its stream at that version.</summary>
/// <param name="Overrides">By personality.</param>
/// <param name="LlmConfigs">The user's own, in the order of their making.</param>
/// <param name="Memories">How many notes there are of the user.</param>
public sealed record UserRow(
    UserView View, bool IsPlaceholder, long Seq, ImmutableDictionary<Guid, OverrideView> Overrides, Items<LlmConfigView> LlmConfigs,
    int Memories = 0);

public sealed class UserStore(Database database, LlmConfigStore configs)
{
    public const string IdentityKey = "user_identities_pkey";
    public const string DefaultPersonaReference = "user_default_personas_tenant_id_user_id_persona_id_fkey";
    public const string DefaultLlmConfigReference = "user_default_llm_configs_config";

    private const string LoadSql = """
        SELECT u.id, u.username, u.time_zone, u.is_free, u.is_active, u.version, u.created_at, u.updated_at, d.persona_id,
          (SELECT json_agg(json_build_object('provider', i.provider, 'subject', i.subject) ORDER BY i.created_at, i.provider, i.subject)
           FROM user_identities i WHERE i.tenant_id = $1 AND i.user_id = $2),
          c.llm_config_id, u.settings::text, u.is_placeholder,
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3),
          (SELECT json_agg(json_build_object('personalityId', o.personality_id, 'personaId', o.persona_id, 'llmConfigId', o.llm_config_id,
             'settings', o.settings::text, 'updatedAt', o.updated_at, 'version', o.version))
           FROM user_personality_configs o WHERE o.tenant_id = $1 AND o.user_id = $2),
          EXISTS (SELECT FROM llm_configs l WHERE l.tenant_id = $1 AND l.owner_id = $2),
          (SELECT count(*)::int FROM memories m WHERE m.tenant_id = $1 AND m.user_id = $2)
        FROM users u
        JOIN user_default_personas d ON d.tenant_id = u.tenant_id AND d.user_id = u.id
        LEFT JOIN user_default_llm_configs c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
        WHERE u.tenant_id = $1 AND u.id = $2
        """;

    public async Task<UserRow?> Load(Guid tenant, Guid id, OwnerEpoch epoch)
    {
        var found = await database.LoadOwned(RowScope.OfUser(tenant, id), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(id), Sql.Text(epoch.Stream)],
            row => new { User = new UserRow(Map(row), row.GetBoolean(12), row.ValueOrNull<long>(13) ?? 0, Overrides(row.TextOrNull(14)), [], row.GetInt32(16)), OwnsConfigs = row.GetBoolean(15) });
        // Few users have configs of their own, so the others don't pay for asking.
        return found is { OwnsConfigs: true, User: var user }
            ? user with { LlmConfigs = [.. (await configs.LoadOwned(tenant, id)).OrderBy(config => config.Id)] }
            : found?.User;
    }

    private sealed record StoredOverride(Guid PersonalityId, Guid? PersonaId, Guid? LlmConfigId, string Settings, DateTimeOffset UpdatedAt, long Version);

    private static ImmutableDictionary<Guid, OverrideView> Overrides(string? json) => json is null
        ? ImmutableDictionary<Guid, OverrideView>.Empty
        : JsonSerializer.Deserialize<List<StoredOverride>>(json, Wire.Json)!.ToImmutableDictionary(o => o.PersonalityId, o => new OverrideView(
            o.PersonalityId, o.PersonaId, o.LlmConfigId, SettingsTier.FromStored(o.Settings), o.UpdatedAt.ToUniversalTime(), o.Version));

    private const string InsertSql = """
        INSERT INTO users (tenant_id, id, username, is_placeholder, time_zone, is_free, is_active, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, UserView user, bool isPlaceholder) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(user.Id), Sql.Text(user.Username), Sql.Bool(isPlaceholder), Sql.Text(user.TimeZone),
        Sql.Bool(user.IsFree), Sql.Bool(user.IsActive), Sql.Bigint(user.Version), Sql.Time(user.CreatedAt));

    private const string InsertIdentitySql =
        "INSERT INTO user_identities (tenant_id, provider, subject, user_id, created_at) VALUES ($1, $2, $3, $4, $5)";

    public static void InsertIdentity(ScopedBatch batch, Guid tenant, Guid user, UserIdentity identity, DateTimeOffset at) =>
        batch.Add(InsertIdentitySql, Sql.Uuid(tenant), Sql.Text(identity.Provider), Sql.Text(identity.Subject), Sql.Uuid(user), Sql.Time(at));

    private const string DeleteIdentitySql = "DELETE FROM user_identities WHERE tenant_id = $1 AND provider = $2 AND subject = $3 AND user_id = $4";

    public static void DeleteIdentity(ScopedBatch batch, Guid tenant, Guid user, UserIdentity identity) =>
        batch.Add(DeleteIdentitySql, Sql.Uuid(tenant), Sql.Text(identity.Provider), Sql.Text(identity.Subject), Sql.Uuid(user));

    private const string SetDefaultPersonaSql = """
        INSERT INTO user_default_personas (tenant_id, user_id, persona_id, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, user_id) DO UPDATE SET persona_id = excluded.persona_id, updated_at = excluded.updated_at
        """;

    public static void SetDefaultPersona(ScopedBatch batch, Guid tenant, Guid user, Guid persona, DateTimeOffset at) =>
        batch.Add(SetDefaultPersonaSql, Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(persona), Sql.Time(at));

    private const string SetDefaultLlmConfigSql = """
        INSERT INTO user_default_llm_configs (tenant_id, user_id, llm_config_id, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, user_id) DO UPDATE SET llm_config_id = excluded.llm_config_id, updated_at = excluded.updated_at
        """;

    private const string RemoveDefaultLlmConfigSql = "DELETE FROM user_default_llm_configs WHERE tenant_id = $1 AND user_id = $2";

    public static void SetDefaultLlmConfig(ScopedBatch batch, Guid tenant, Guid user, Guid? config, DateTimeOffset at)
    {
        if (config is { } id)
        {
            batch.Add(SetDefaultLlmConfigSql, Sql.Uuid(tenant), Sql.Uuid(user), Sql.Uuid(id), Sql.Time(at));
        }
        else
        {
            batch.Add(RemoveDefaultLlmConfigSql, Sql.Uuid(tenant), Sql.Uuid(user));
        }
    }

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE users SET username = $3, is_placeholder = $4, time_zone = $5, is_free = $6, is_active = $7, version = $8, updated_at = $9, settings = $10
          WHERE tenant_id = $1 AND id = $2 AND version = $8 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'user') FROM changed
        """;

    /// <summary>Writes the user as it is to be; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, UserView user, bool isPlaceholder) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(user.Id), Sql.Text(user.Username), Sql.Bool(isPlaceholder), Sql.Text(user.TimeZone),
        Sql.Bool(user.IsFree), Sql.Bool(user.IsActive), Sql.Bigint(user.Version), Sql.Time(user.UpdatedAt),
        Sql.Jsonb(user.Settings.ToStored().Json));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM users WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'user') FROM changed
        """;

    /// <summary>What references the user goes with it by cascade; its events and stored answers go by the outbox (user.erase).</summary>
    public static void Delete(ScopedBatch batch, Guid tenant, Guid id, long version) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(id), Sql.Bigint(version));

    private const string FindByIdentitiesSql = """
        SELECT DISTINCT user_id FROM user_identities
        WHERE tenant_id = $1 AND (provider, subject) IN (SELECT * FROM unnest($2::text[], $3::text[]))
        """;

    /// <summary>The users that any of these identities belong to.</summary>
    public Task<List<Guid>> FindByIdentities(Guid tenant, IReadOnlyList<UserIdentity> identities, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), FindByIdentitiesSql,
        [Sql.Uuid(tenant), Sql.Texts([.. identities.Select(i => i.Provider)]), Sql.Texts([.. identities.Select(i => i.Subject)])],
        row => row.GetGuid(0), cancel);

    private const string AwaySql = """
        SELECT w.id, u.id IS NOT NULL FROM unnest($2::uuid[]) AS w(id)
        LEFT JOIN users u ON u.tenant_id = $1 AND u.id = w.id WHERE u.is_active IS NOT TRUE
        """;

    /// <summary>Of these users, those that aren't active, and whether they are there at all.</summary>
    public Task<List<(Guid User, bool IsThere)>> Away(Guid tenant, Guid[] users, CancellationToken cancel) => database.ReadMany(
        RowScope.OfTenant(tenant), AwaySql, [Sql.Uuid(tenant), Sql.Uuids(users)], row => (row.GetGuid(0), row.GetBoolean(1)), cancel);

    private const string ListSql = """
        SELECT u.id, u.username, u.time_zone, u.is_free, u.is_active, u.version, u.created_at, u.updated_at, d.persona_id,
          (SELECT json_agg(json_build_object('provider', i.provider, 'subject', i.subject) ORDER BY i.created_at, i.provider, i.subject)
           FROM user_identities i WHERE i.tenant_id = u.tenant_id AND i.user_id = u.id),
          c.llm_config_id, u.settings::text
        FROM users u
        JOIN user_default_personas d ON d.tenant_id = u.tenant_id AND d.user_id = u.id
        LEFT JOIN user_default_llm_configs c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
        WHERE u.tenant_id = $1 AND u.id > $2 AND ($4::text IS NULL OR strpos(lower(u.username), lower($4)) > 0) ORDER BY u.id LIMIT $3
        """;

    public Task<List<UserView>> List(RowScope scope, Guid after, string? search, int limit, CancellationToken cancel) =>
        database.ReadMany(scope, ListSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], Map, cancel);

    private static UserView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.IsDBNull(9) ? [] : JsonSerializer.Deserialize<List<UserIdentity>>(row.GetString(9), Wire.Json)!,
        row.GetGuid(8), row.GetString(2), row.GetBoolean(3), row.GetBoolean(4), row.GetInt64(5), row.Time(6), row.Time(7),
        row.GuidOrNull(10), SettingsTier.FromStored(row.GetString(11)));
}
