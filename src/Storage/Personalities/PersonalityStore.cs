using System.Text.Json;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Storage.Personalities;

/// <summary>A personality as its grain holds it, and the position of its stream at that version.</summary>
public sealed record PersonalityRow(PersonalityView View, long Seq);

public sealed class PersonalityStore(Database database)
{
    public const string SlugKey = "personalities_slug";
    public const string SystemPromptKey = "personalities_system_prompt";
    public const string OwnerKey = "personality_owners_user";
    public const string DefaultConfigKey = "personality_default_configs_config";
    public const string AliasKey = "personality_aliases_alias";
    public const string AliasUserKey = "personality_aliases_user";
    /// <summary>Slugs and the tenant's aliases together.</summary>
    public const string NameKey = "personality_names_pkey";
    public const string TenantKey = "personalities_tenant_id_fkey";

    /// <summary>In the order that <see cref="Map"/> reads. Personal aliases are their users' business, and not part of it.</summary>
    private const string Columns = """
        p.id, p.name, p.slug, p.display_name, p.avatar_url, p.system_prompt_id, d.llm_config_id, p.character_info, p.personality_traits, p.tone, p.age,
        p.appearance, p.likes, p.dislikes, p.conversational_goals, p.conversational_examples, p.error_message, p.custom_fields, p.tags,
        (SELECT json_agg(json_build_object('alias', a.alias) ORDER BY a.created_at, a.alias)
         FROM personality_aliases a WHERE a.tenant_id = p.tenant_id AND a.personality_id = p.id AND a.user_id IS NULL),
        p.voice_enabled, p.voice_settings, p.image_enabled, p.image_settings, p.memory_enabled, p.context_window_size, p.settings, p.is_public,
        p.definition_public,
        (SELECT json_agg(json_build_object('userId', o.user_id, 'role', o.role) ORDER BY o.created_at, o.user_id)
         FROM personality_owners o WHERE o.tenant_id = p.tenant_id AND o.personality_id = p.id),
        p.version, p.created_at, p.updated_at
        """;

    private const string From = """
        FROM personalities p
        LEFT JOIN personality_default_configs d ON d.tenant_id = p.tenant_id AND d.personality_id = p.id
        """;

    private const string LoadSql = $"""
        SELECT {Columns}, (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3)
        {From} WHERE p.tenant_id = $1 AND p.id = $2
        """;

    public Task<PersonalityRow?> Load(Guid tenant, Guid id, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfTenant(tenant), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(id), Sql.Text(epoch.Stream)],
        row => new PersonalityRow(Map(row), row.ValueOrNull<long>(33) ?? 0));

    private const string InsertSql = """
        INSERT INTO personalities (tenant_id, id, name, slug, display_name, avatar_url, system_prompt_id, character_info, personality_traits, tone, age,
          appearance, likes, dislikes, conversational_goals, conversational_examples, error_message, custom_fields, tags, voice_enabled, voice_settings,
          image_enabled, image_settings, memory_enabled, context_window_size, settings, is_public, definition_public, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $30)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, PersonalityView personality) =>
        batch.Add(InsertSql, [.. Parameters(tenant, personality), Sql.Time(personality.CreatedAt)]);

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE personalities SET name = $3, slug = $4, display_name = $5, avatar_url = $6, system_prompt_id = $7, character_info = $8,
            personality_traits = $9, tone = $10, age = $11, appearance = $12, likes = $13, dislikes = $14, conversational_goals = $15,
            conversational_examples = $16, error_message = $17, custom_fields = $18, tags = $19, voice_enabled = $20, voice_settings = $21,
            image_enabled = $22, image_settings = $23, memory_enabled = $24, context_window_size = $25, settings = $26, is_public = $27,
            definition_public = $28, version = $29, updated_at = $30
          WHERE tenant_id = $1 AND id = $2 AND version = $29 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'personality') FROM changed
        """;

    /// <summary>Writes the personality as it is to be; its version says which one it replaces. Owners, aliases and default config are rows of their own.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, PersonalityView personality) =>
        batch.AddGuarded(UpdateSql, [.. Parameters(tenant, personality), Sql.Time(personality.UpdatedAt)]);

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM personalities WHERE tenant_id = $1 AND id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'personality') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, PersonalityView personality) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(personality.Id), Sql.Bigint(personality.Version));

    private const string SetOwnerSql = """
        INSERT INTO personality_owners (tenant_id, personality_id, user_id, role, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, personality_id, user_id) DO UPDATE SET role = excluded.role
        """;

    public static void SetOwner(ScopedBatch batch, Guid tenant, Guid personality, PersonalityOwner owner, DateTimeOffset at) => batch.Add(SetOwnerSql,
        Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Uuid(owner.UserId), Sql.Text(RoleName(owner.Role)), Sql.Time(at));

    private const string RemoveOwnerSql = "DELETE FROM personality_owners WHERE tenant_id = $1 AND personality_id = $2 AND user_id = $3";

    public static void RemoveOwner(ScopedBatch batch, Guid tenant, Guid personality, Guid user) =>
        batch.Add(RemoveOwnerSql, Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Uuid(user));

    private const string SetDefaultConfigSql = """
        INSERT INTO personality_default_configs (tenant_id, personality_id, llm_config_id, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, personality_id) DO UPDATE SET llm_config_id = excluded.llm_config_id, updated_at = excluded.updated_at
        """;

    private const string RemoveDefaultConfigSql = "DELETE FROM personality_default_configs WHERE tenant_id = $1 AND personality_id = $2";

    public static void SetDefaultConfig(ScopedBatch batch, Guid tenant, Guid personality, Guid? config, DateTimeOffset at)
    {
        if (config is { } id)
        {
            batch.Add(SetDefaultConfigSql, Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Uuid(id), Sql.Time(at));
        }
        else
        {
            batch.Add(RemoveDefaultConfigSql, Sql.Uuid(tenant), Sql.Uuid(personality));
        }
    }

    private const string InsertAliasSql =
        "INSERT INTO personality_aliases (tenant_id, alias, user_id, personality_id, created_at) VALUES ($1, $2, $3, $4, $5)";

    public static void InsertAlias(ScopedBatch batch, Guid tenant, Guid personality, PersonalityAlias alias, DateTimeOffset at) =>
        batch.Add(InsertAliasSql, Sql.Uuid(tenant), Sql.Text(alias.Alias), Sql.Uuid(alias.UserId), Sql.Uuid(personality), Sql.Time(at));

    private const string RemoveAliasSql = """
        DELETE FROM personality_aliases
        WHERE tenant_id = $1 AND personality_id = $2 AND lower(alias) = lower($3) AND user_id IS NOT DISTINCT FROM $4
        """;

    public static void RemoveAlias(ScopedBatch batch, Guid tenant, Guid personality, PersonalityAlias alias) =>
        batch.Add(RemoveAliasSql, Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Text(alias.Alias), Sql.Uuid(alias.UserId));

    private const string PersonalAliasesSql = """
        SELECT alias FROM personality_aliases WHERE tenant_id = $1 AND personality_id = $2 AND user_id = $3 ORDER BY created_at, alias
        """;

    public Task<List<PersonalityAlias>> PersonalAliases(Guid tenant, Guid personality, Guid user, CancellationToken cancel = default) => database.ReadMany(
        RowScope.OfUser(tenant, user), PersonalAliasesSql, [Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Uuid(user)],
        row => new PersonalityAlias(row.GetString(0), user), cancel);

    private const string FindSql = """
        SELECT p.id, p.version, p.slug = $2 AND NOT EXISTS (
            SELECT FROM personality_aliases a WHERE a.tenant_id = $1 AND lower(a.alias) = lower($2) AND a.user_id IS NOT NULL)
        FROM personalities p WHERE p.tenant_id = $1 AND p.id = coalesce(
          (SELECT a.personality_id FROM personality_aliases a WHERE a.tenant_id = $1 AND a.user_id = $3 AND lower(a.alias) = lower($2)),
          (SELECT s.id FROM personalities s WHERE s.tenant_id = $1 AND s.slug = $2),
          (SELECT a.personality_id FROM personality_aliases a WHERE a.tenant_id = $1 AND a.user_id IS NULL AND lower(a.alias) = lower($2)))
        """;

    /// <param name="IsForAll">It is the slug, and nobody's own word for another: it means this to all as long as the personality stays what it is.</param>
    public sealed record Named(Guid Id, long Version, bool IsForAll);

    /// <summary>The user's own word for a personality goes before what the tenant calls one.</summary>
    public Task<Named?> Find(Guid tenant, Guid? user, string name, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), FindSql, [Sql.Uuid(tenant), Sql.Text(name), Sql.Uuid(user)],
        row => new Named(row.GetGuid(0), row.GetInt64(1), row.GetBoolean(2)), cancel);

    private const string ListSql = $"""
        SELECT {Columns} {From}
        WHERE p.tenant_id = $1 AND p.id > $2 AND ($3::text IS NULL OR p.tags @> ARRAY[$3])
          AND ($4::text IS NULL OR p.name ILIKE $4 OR p.display_name ILIKE $4 OR p.slug ILIKE $4)
        ORDER BY p.id LIMIT $5
        """;

    /// <summary>What the scope may see: everything for tenant-wide work, what is public or lent to it for a user.</summary>
    public Task<List<PersonalityView>> List(RowScope scope, Guid after, string? tag, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        scope, ListSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(after), Sql.Text(tag), Sql.Text(search is null ? null : $"%{EscapeLike(search)}%"), Sql.Int(limit)],
        Map, cancel);

    private const string DefaultOfSql = """
        SELECT p.slug FROM personality_default_configs d JOIN personalities p ON p.tenant_id = d.tenant_id AND p.id = d.personality_id
        WHERE d.tenant_id = $1 AND d.llm_config_id = $2 ORDER BY p.slug LIMIT 20
        """;

    /// <summary>The personalities that have a config as their default, as far as the scope may see them.</summary>
    public Task<List<string>> DefaultOf(RowScope scope, Guid config) => database.ReadMany(
        scope, DefaultOfSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(config)], row => row.GetString(0));

    private const string OfUserSql = "SELECT personality_id, role FROM personality_owners WHERE tenant_id = $1 AND user_id = $2";

    /// <summary>The personalities that a user has a role of.</summary>
    public Task<List<(Guid Personality, PersonalityRole Role)>> OfUser(Guid tenant, Guid user) => database.ReadMany(
        RowScope.OfUser(tenant, user), OfUserSql, [Sql.Uuid(tenant), Sql.Uuid(user)],
        row => (row.GetGuid(0), Enum.Parse<PersonalityRole>(row.GetString(1), ignoreCase: true)));

    private static string EscapeLike(string text) => text.Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_");

    private static NpgsqlParameter[] Parameters(Guid tenant, PersonalityView personality) =>
    [
        Sql.Uuid(tenant), Sql.Uuid(personality.Id), Sql.Text(personality.Name), Sql.Text(personality.Slug), Sql.Text(personality.DisplayName),
        Sql.Text(personality.AvatarUrl), Sql.Uuid(personality.SystemPromptId), Sql.Text(personality.CharacterInfo), Sql.Text(personality.PersonalityTraits),
        Sql.Text(personality.Tone), Sql.Text(personality.Age), Sql.Text(personality.Appearance), Sql.Text(personality.Likes), Sql.Text(personality.Dislikes),
        Sql.Text(personality.ConversationalGoals), Sql.Text(personality.ConversationalExamples), Sql.Text(personality.ErrorMessage),
        Sql.Json(personality.CustomFields?.Json), Sql.Texts([.. personality.Tags]), Sql.Bool(personality.VoiceEnabled), Sql.Json(personality.VoiceSettings?.Json),
        Sql.Bool(personality.ImageEnabled), Sql.Json(personality.ImageSettings?.Json), Sql.Bool(personality.MemoryEnabled), Sql.Int(personality.ContextWindowSize),
        Sql.Jsonb(personality.Settings.ToStored().Json), Sql.Bool(personality.IsPublic), Sql.Bool(personality.DefinitionPublic), Sql.Bigint(personality.Version),
    ];

    private static PersonalityView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.TextOrNull(4), row.GuidOrNull(5), row.GuidOrNull(6), row.GetString(7),
        row.GetString(8), row.TextOrNull(9), row.TextOrNull(10), row.TextOrNull(11), row.TextOrNull(12), row.TextOrNull(13), row.TextOrNull(14),
        row.TextOrNull(15), row.TextOrNull(16), row.JsonOrNull(17), row.GetFieldValue<string[]>(18), ListOrEmpty<PersonalityAlias>(row, 19), row.GetBoolean(20),
        row.JsonOrNull(21), row.GetBoolean(22), row.JsonOrNull(23), row.GetBoolean(24), row.GetInt32(25), SettingsTier.FromStored(row.GetString(26)),
        row.GetBoolean(27), row.GetBoolean(28), ListOrEmpty<PersonalityOwner>(row, 29), row.GetInt64(30), row.Time(31), row.Time(32));

    private static Items<T> ListOrEmpty<T>(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? [] : JsonSerializer.Deserialize<Items<T>>(row.GetString(column), Wire.Json)!;

    private static string RoleName(PersonalityRole role) => role switch
    {
        PersonalityRole.Viewer => "viewer",
        PersonalityRole.Editor => "editor",
        PersonalityRole.Owner => "owner",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };
}
