namespace PersonaActors.Storage.Imports;

/// <param name="Read">How many rows the old table had; the others add up to it.</param>
/// <param name="Known">Were here already.</param>
/// <param name="LeftOut">Refer to what isn't there, or say nothing.</param>
public sealed record LegacyCount(string Table, long Read, long Created, long Known, long LeftOut);

/// <summary>
/// The old tables (users, personas, … of the first founding document) into ours: each statement a part of one transaction,
/// over what was staged. Ids stay what they were, so what is here already is known by them; a user also by the Discord id. A
/// persona of somebody else becomes a copy, whose id follows from both, so a second import finds it too.
/// </summary>
public sealed class LegacyStore(ImportTransaction transaction, Guid tenant, Guid job, DateTimeOffset now, CancellationToken cancel)
{
    // Each is written once: whoever reads them says which table is meant.
    private const string At = "coalesce((r.row ->> 'created_at')::timestamp AT TIME ZONE 'UTC', $3)";
    private const string Changed = "coalesce((r.row ->> 'updated_at')::timestamp AT TIME ZONE 'UTC', (r.row ->> 'created_at')::timestamp AT TIME ZONE 'UTC', $3)";
    private const string Username = "CASE WHEN btrim(coalesce(r.row ->> 'username', '')) = '' THEN 'User ' || coalesce(r.row ->> 'discord_id', r.id) ELSE r.row ->> 'username' END";

    private const string NewUsers =
        "import_rows r JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = r.id AND (m.row ->> 'isNew')::boolean";

    private const string Orphans = """
        import_rows p WHERE p.tenant_id = $1 AND p.job_id = $2 AND p.kind = 'personas'
          AND NOT EXISTS (SELECT FROM import_rows m WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona' AND m.row ->> 'persona' = p.id)
        """;

    private const string MapUsersSql = """
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT r.tenant_id, r.job_id, 'user', r.id, jsonb_build_object('to', coalesce(u.id, i.user_id, r.id::uuid), 'isNew', i.user_id IS NULL AND u.id IS NULL)
        FROM import_rows r
        LEFT JOIN user_identities i ON i.tenant_id = r.tenant_id AND i.provider = 'discord' AND i.subject = r.row ->> 'discord_id'
        LEFT JOIN users u ON u.tenant_id = r.tenant_id AND u.id = r.id::uuid
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users'
        """;

    private const string UsersSql = $"""
        INSERT INTO users (tenant_id, id, username, created_at, updated_at)
        SELECT r.tenant_id, r.id::uuid, {Username}, {At}, {Changed}
        FROM {NewUsers}
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users'
        """;

    private const string IdentitiesSql = $"""
        INSERT INTO user_identities (tenant_id, provider, subject, user_id, created_at)
        SELECT r.tenant_id, 'discord', r.row ->> 'discord_id', r.id::uuid, {At}
        FROM {NewUsers}
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users' AND btrim(coalesce(r.row ->> 'discord_id', '')) <> ''
        """;

    /// <summary>Who uses a persona: its owner, whose default it is, who has it for a personality.</summary>
    private const string MapPersonasSql = """
        WITH used AS (
          SELECT r.row ->> 'global_persona_id' AS persona, r.id AS by FROM import_rows r
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users' AND r.row ->> 'global_persona_id' IS NOT NULL
          UNION SELECT r.row ->> 'persona_id', r.row ->> 'user_id' FROM import_rows r
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'user_personality_settings' AND r.row ->> 'persona_id' IS NOT NULL
          UNION SELECT r.id, r.row ->> 'owner_id' FROM import_rows r
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personas' AND r.row ->> 'owner_id' IS NOT NULL)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT p.tenant_id, p.job_id, 'persona', p.id || '/' || (m.row ->> 'to'), jsonb_build_object(
          'persona', p.id, 'user', m.row ->> 'to', 'isCopy', p.row ->> 'owner_id' IS DISTINCT FROM u.by,
          'to', CASE WHEN p.row ->> 'owner_id' = u.by THEN p.id::uuid ELSE md5(p.id || (m.row ->> 'to'))::uuid END)
        FROM used u
        JOIN import_rows p ON p.tenant_id = $1 AND p.job_id = $2 AND p.kind = 'personas' AND p.id = u.persona
        JOIN import_rows m ON m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.id = u.by
        ON CONFLICT DO NOTHING
        """;

    private const string CountOrphansSql = $"""
        SELECT count(*) FROM {Orphans}
        """;

    private const string MapOrphansSql = $"""
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT p.tenant_id, p.job_id, 'persona', p.id || '/' || $3::uuid, jsonb_build_object('persona', p.id, 'user', $3::uuid, 'isCopy', false, 'isOrphan', true, 'to', p.id)
        FROM {Orphans}
        """;

    /// <summary>Names are unique to an owner, in any case: those that come second get the beginning of their id.</summary>
    private const string PersonasSql = $"""
        WITH named AS (
          SELECT r.row, (m.row ->> 'to')::uuid AS id, (m.row ->> 'user')::uuid AS owner, {At} AS at, {Changed} AS changed,
            CASE WHEN btrim(coalesce(r.row ->> 'name', '')) = '' THEN 'Persona' WHEN r.row ->> 'name' ~ '^[0-9]{"{17,20}"}$' THEN 'Persona ' || (r.row ->> 'name')
              ELSE r.row ->> 'name' END AS name
          FROM import_rows m JOIN import_rows r ON r.tenant_id = m.tenant_id AND r.job_id = m.job_id AND r.kind = 'personas' AND r.id = m.row ->> 'persona'
          WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona'
            AND NOT EXISTS (SELECT FROM personas x WHERE x.tenant_id = $1 AND x.id = (m.row ->> 'to')::uuid)),
        numbered AS (
          SELECT n.*, row_number() OVER (PARTITION BY n.owner, lower(n.name) ORDER BY n.at, n.id) > 1
            OR EXISTS (SELECT FROM personas x WHERE x.tenant_id = $1 AND x.owner_id = n.owner AND lower(x.name) = lower(n.name)) AS is_taken
          FROM named n),
        made AS (
          INSERT INTO personas (tenant_id, id, owner_id, name, description, content, preferred_name, pronouns, created_at, updated_at)
          SELECT $1, id, owner, CASE WHEN is_taken THEN left(name, 240) || ' ' || left(id::text, 8) ELSE name END,
            row ->> 'description', coalesce(row ->> 'content', ''), row ->> 'preferred_name', row ->> 'pronouns', at, changed FROM numbered
          RETURNING id, owner_id, name)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1, $2, 'new persona', id::text, jsonb_build_object('user', owner_id, 'name', name) FROM made
        """;

    /// <summary>Who had none gets one of their name.</summary>
    private const string OwnDefaultsSql = $"""
        INSERT INTO personas (tenant_id, id, owner_id, name, content, created_at, updated_at)
        SELECT r.tenant_id, md5('default persona ' || r.id)::uuid, r.id::uuid,
          CASE WHEN {Username} ~ '^[0-9]{"{17,20}"}$' THEN 'User ' || ({Username})
            WHEN EXISTS (SELECT FROM personas x WHERE x.tenant_id = $1 AND x.owner_id = r.id::uuid AND lower(x.name) = lower({Username})) THEN left({Username}, 240) || ' ' || left(r.id, 8)
            ELSE {Username} END, '', {At}, {At}
        FROM {NewUsers}
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users'
          AND NOT EXISTS (SELECT FROM import_rows p WHERE p.tenant_id = $1 AND p.job_id = $2 AND p.kind = 'persona' AND p.id = (r.row ->> 'global_persona_id') || '/' || r.id)
        """;

    private const string DefaultsSql = $"""
        INSERT INTO user_default_personas (tenant_id, user_id, persona_id, updated_at)
        SELECT r.tenant_id, r.id::uuid, coalesce((p.row ->> 'to')::uuid, md5('default persona ' || r.id)::uuid), {Changed}
        FROM {NewUsers}
        LEFT JOIN import_rows p ON p.tenant_id = r.tenant_id AND p.job_id = r.job_id AND p.kind = 'persona' AND p.id = (r.row ->> 'global_persona_id') || '/' || r.id
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users'
        """;

    /// <summary>Everybody could talk to a character of the old tables: here they are public, without their inside.</summary>
    private const string PersonalitiesSql = $"""
        WITH made AS (
          INSERT INTO personalities (tenant_id, id, name, slug, display_name, avatar_url, system_prompt_id, character_info, personality_traits, tone, age, likes, dislikes,
            conversational_goals, conversational_examples, custom_fields, voice_enabled, voice_settings, image_enabled, image_settings, memory_enabled, context_window_size,
            is_public, created_at, updated_at)
          SELECT r.tenant_id, r.id::uuid, coalesce(nullif(btrim(r.row ->> 'name'), ''), s.row ->> 'slug'), s.row ->> 'slug',
            coalesce(nullif(btrim(r.row ->> 'display_name'), ''), nullif(btrim(r.row ->> 'name'), ''), s.row ->> 'slug'), r.row ->> 'avatar_url',
            (SELECT p.id FROM system_prompts p WHERE p.tenant_id = r.tenant_id AND p.id = (r.row ->> 'system_prompt_id')::uuid),
            coalesce(r.row ->> 'character_info', ''), coalesce(r.row ->> 'personality_traits', ''), r.row ->> 'personality_tone', r.row ->> 'personality_age',
            r.row ->> 'personality_likes', r.row ->> 'personality_dislikes', r.row ->> 'conversational_goals', r.row ->> 'conversational_examples',
            CASE WHEN jsonb_typeof(r.row -> 'custom_fields') = 'object' THEN (r.row -> 'custom_fields')::json END,
            coalesce((r.row ->> 'voice_enabled')::boolean, false), CASE WHEN jsonb_typeof(r.row -> 'voice_settings') = 'object' THEN (r.row -> 'voice_settings')::json END,
            coalesce((r.row ->> 'image_enabled')::boolean, false), CASE WHEN jsonb_typeof(r.row -> 'image_settings') = 'object' THEN (r.row -> 'image_settings')::json END,
            coalesce((r.row ->> 'memory_enabled')::boolean, true), least(greatest(coalesce((r.row ->> 'context_window_size')::int, 20), 1), 100), true, {At}, {Changed}
          FROM import_rows r JOIN import_rows s ON s.tenant_id = r.tenant_id AND s.job_id = r.job_id AND s.kind = 'slug' AND s.id = r.id
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personalities'
          RETURNING id)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row) SELECT $1, $2, 'new personality', id::text, '{"{}"}'::jsonb FROM made
        """;

    private const string OwnersSql = $"""
        WITH made AS (
          INSERT INTO personality_owners (tenant_id, personality_id, user_id, role, created_at)
          SELECT DISTINCT ON (r.row ->> 'personality_id', m.row ->> 'to') r.tenant_id, (r.row ->> 'personality_id')::uuid, (m.row ->> 'to')::uuid,
            CASE WHEN r.row ->> 'role' IN ('viewer', 'editor', 'owner') THEN r.row ->> 'role' WHEN r.row ->> 'role' IS NULL THEN 'owner' ELSE 'viewer' END, {At}
          FROM import_rows r
          JOIN import_rows n ON n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new personality' AND n.id = r.row ->> 'personality_id'
          JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = r.row ->> 'user_id'
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personality_owners'
          RETURNING personality_id, user_id)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1, $2, 'new owner', personality_id || '/' || user_id, '{"{}"}'::jsonb FROM made
        """;

    private const string DefaultConfigsSql = $"""
        INSERT INTO personality_default_configs (tenant_id, personality_id, llm_config_id, updated_at)
        SELECT r.tenant_id, r.id::uuid, c.id, {Changed}
        FROM import_rows r
        JOIN import_rows n ON n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new personality' AND n.id = r.id
        JOIN llm_configs c ON c.tenant_id = r.tenant_id AND c.id = (r.row ->> 'llm_config_id')::uuid
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personalities'
        """;

    /// <summary>Only where the user or the personality is new: elsewhere somebody may have wanted it otherwise since.</summary>
    private const string OverridesSql = $"""
        WITH made AS (
          INSERT INTO user_personality_configs (tenant_id, user_id, personality_id, persona_id, llm_config_id, version, created_at, updated_at)
          SELECT r.tenant_id, u.id, l.id, (p.row ->> 'to')::uuid, c.id, CASE WHEN (m.row ->> 'isNew')::boolean THEN u.version ELSE u.version + 1 END, {At}, {Changed}
          FROM import_rows r
          JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = r.row ->> 'user_id'
          JOIN users u ON u.tenant_id = r.tenant_id AND u.id = (m.row ->> 'to')::uuid
          JOIN personalities l ON l.tenant_id = r.tenant_id AND l.id = (r.row ->> 'personality_id')::uuid
          LEFT JOIN import_rows p ON p.tenant_id = r.tenant_id AND p.job_id = r.job_id AND p.kind = 'persona' AND p.id = (r.row ->> 'persona_id') || '/' || (m.row ->> 'to')
          LEFT JOIN llm_configs c ON c.tenant_id = r.tenant_id AND c.owner_id IS NULL AND c.id = (r.row ->> 'llm_config_id')::uuid
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'user_personality_settings' AND (p.id IS NOT NULL OR c.id IS NOT NULL)
            AND ((m.row ->> 'isNew')::boolean OR EXISTS (
              SELECT FROM import_rows n WHERE n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new personality' AND n.id = r.row ->> 'personality_id'))
          ON CONFLICT DO NOTHING
          RETURNING user_id, personality_id)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1, $2, 'new override', user_id || '/' || personality_id, jsonb_build_object('user', user_id) FROM made
        """;

    /// <summary>Channels come whole: one that is here already has an order of its own.</summary>
    private const string ChannelsSql = """
        WITH made AS (
          INSERT INTO channels (tenant_id, channel_id, last_number, version, row_version, created_at, updated_at)
          SELECT DISTINCT r.tenant_id, r.row ->> 'channel_id', 0, 1, 1, $3::timestamptz, $3::timestamptz FROM import_rows r
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind IN ('activated_channels', 'conversation_history') AND coalesce(r.row ->> 'channel_id', '') <> ''
            AND NOT EXISTS (SELECT FROM channels c WHERE c.tenant_id = r.tenant_id AND c.channel_id = r.row ->> 'channel_id')
          RETURNING channel_id)
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row) SELECT $1, $2, 'new channel', channel_id, '{}'::jsonb FROM made
        """;

    private const string MembersSql = """
        INSERT INTO channel_members (tenant_id, channel_id, user_id, added_at)
        SELECT DISTINCT r.tenant_id, n.id, (m.row ->> 'to')::uuid, $3::timestamptz FROM import_rows r
        JOIN import_rows n ON n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new channel' AND n.id = r.row ->> 'channel_id'
        JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = coalesce(r.row ->> 'user_id', r.row ->> 'created_by')
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind IN ('activated_channels', 'conversation_history')
        """;

    private const string ActivationsSql = $"""
        INSERT INTO activated_channels (tenant_id, channel_id, personality_id, place, auto_respond, activated_by, activated_at)
        SELECT r.tenant_id, n.id, (r.row ->> 'personality_id')::uuid, row_number() OVER (PARTITION BY n.id ORDER BY {At}, r.id) - 1,
          coalesce((r.row ->> 'auto_respond')::boolean, true), (m.row ->> 'to')::uuid, {At}
        FROM import_rows r
        JOIN import_rows n ON n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new channel' AND n.id = r.row ->> 'channel_id'
        LEFT JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = r.row ->> 'created_by'
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'activated_channels' AND r.row ->> 'personality_id' IS NOT NULL
        """;

    /// <summary>In the order in which it was said. How many tokens each has was counted when it was read.</summary>
    private const string HistorySql = $"""
        INSERT INTO conversation_history (tenant_id, channel_id, number, client_id, role, content, tokens, personality_id, user_id, created_at)
        SELECT r.tenant_id, n.id, row_number() OVER (PARTITION BY n.id ORDER BY {At}, r.id), r.id, r.row ->> 'role', r.row ->> 'content', coalesce((r.row ->> 'tokens')::int, 0),
          (r.row ->> 'personality_id')::uuid, (m.row ->> 'to')::uuid, {At}
        FROM import_rows r
        JOIN import_rows n ON n.tenant_id = r.tenant_id AND n.job_id = r.job_id AND n.kind = 'new channel' AND n.id = r.row ->> 'channel_id'
        LEFT JOIN import_rows m ON m.tenant_id = r.tenant_id AND m.job_id = r.job_id AND m.kind = 'user' AND m.id = r.row ->> 'user_id'
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'conversation_history' AND r.row ->> 'role' IN ('user', 'assistant', 'system')
        """;

    private const string LastNumbersSql = """
        UPDATE channels c SET last_number = said.last FROM (
          SELECT h.channel_id, max(h.number) AS last FROM conversation_history h WHERE h.tenant_id = $1 GROUP BY h.channel_id) said
        WHERE c.tenant_id = $1 AND c.channel_id = said.channel_id
          AND EXISTS (SELECT FROM import_rows n WHERE n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new channel' AND n.id = c.channel_id)
        """;

    /// <summary>Users who were here and got something: their grains hold it in memory.</summary>
    private const string TouchedSql = """
        SELECT DISTINCT (n.row ->> 'user')::uuid AS touched FROM import_rows n
        WHERE n.tenant_id = $1 AND n.job_id = $2 AND n.kind IN ('new persona', 'new override')
          AND NOT EXISTS (SELECT FROM import_rows m WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.id = n.row ->> 'user' AND (m.row ->> 'isNew')::boolean)
        """;

    private const string NewIdsSql = """
        SELECT CASE m.kind WHEN 'new persona' THEN 'persona' WHEN 'new personality' THEN 'personality' WHEN 'new channel' THEN 'channel' ELSE 'user' END, m.id, m.row ->> 'user' FROM import_rows m
        WHERE m.tenant_id = $1 AND m.job_id = $2 AND (m.kind IN ('new persona', 'new personality', 'new channel') OR (m.kind = 'user' AND (m.row ->> 'isNew')::boolean))
        """;

    private const string StagedSql = "SELECT r.id, r.row FROM import_rows r WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = $3 ORDER BY r.id";

    private const string TakenSlugsSql = """
        SELECT p.slug FROM personalities p WHERE p.tenant_id = $1
        UNION SELECT lower(a.alias) FROM personality_aliases a WHERE a.tenant_id = $1 AND a.user_id IS NULL
        """;

    private const string NewPersonalitiesSql = """
        SELECT r.id, r.row ->> 'slug', r.row ->> 'name' FROM import_rows r
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personalities' AND NOT EXISTS (SELECT FROM personalities p WHERE p.tenant_id = $1 AND p.id = r.id::uuid)
        ORDER BY r.id
        """;

    private const string PutSlugsSql = """
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1::uuid, $2::uuid, 'slug', s.id, jsonb_build_object('slug', s.slug) FROM unnest($3::text[], $4::text[]) AS s(id, slug)
        """;

    private const string PutNotesSql = """
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1::uuid, $2::uuid, 'note', n.at || '/' || n.id || '/' || n.field, jsonb_build_object('table', n.at, 'id', n.id, 'field', n.field, 'note', n.note)
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS n(at, id, field, note)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>What the statements above had to change, of what is new.</summary>
    private const string NotesSql = """
        WITH said AS (
          SELECT 'users' AS at, r.id, 'username' AS field, 'It was blank.' AS note FROM import_rows r
          JOIN import_rows m ON m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.id = r.id AND (m.row ->> 'isNew')::boolean
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'users' AND btrim(coalesce(r.row ->> 'username', '')) = ''
          UNION ALL
          SELECT 'users', m.id, 'id', 'It is the user ' || (m.row ->> 'to') || ', who has the same Discord id.' FROM import_rows m
          WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.row ->> 'to' <> m.id
          UNION ALL
          SELECT 'personas', n.id, 'name', 'It was blank, a number, or its owner''s already: it is ''' || (n.row ->> 'name') || ''' now.' FROM import_rows n
          JOIN import_rows m ON m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona' AND m.row ->> 'to' = n.id
          JOIN import_rows r ON r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personas' AND r.id = m.row ->> 'persona'
          WHERE n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new persona' AND n.row ->> 'name' <> r.row ->> 'name'
          UNION ALL
          SELECT 'personas', m.row ->> 'persona', 'owner_id to ' || (m.row ->> 'user'),
            CASE WHEN m.row ? 'isOrphan' THEN 'Nobody owned or used it: it is the named owner''s now.' ELSE 'It is somebody else''s, or everybody''s: this user has a copy, ' || n.id || '.' END
          FROM import_rows m JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new persona' AND n.id = m.row ->> 'to'
          WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona' AND ((m.row ->> 'isCopy')::boolean OR m.row ? 'isOrphan')
          UNION ALL
          SELECT 'personas', r.id, 'content', 'It has ' || length(r.row ->> 'content') || ' characters, more than may be written here, and is kept.' FROM import_rows r
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personas' AND length(r.row ->> 'content') > 4000
            AND EXISTS (SELECT FROM import_rows m JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new persona' AND n.id = m.row ->> 'to'
              WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona' AND m.row ->> 'persona' = r.id)
          UNION ALL
          SELECT 'personalities', r.id, 'context_window_size', (r.row ->> 'context_window_size') || ' is not from 1 to 100.' FROM import_rows r
          JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new personality' AND n.id = r.id
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personalities' AND (r.row ->> 'context_window_size')::int NOT BETWEEN 1 AND 100
          UNION ALL
          SELECT 'personality_owners', r.id, 'role', 'The role ''' || (r.row ->> 'role') || ''' is none that is known: viewer.' FROM import_rows r
          JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new personality' AND n.id = r.row ->> 'personality_id'
          WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personality_owners' AND r.row ->> 'role' NOT IN ('viewer', 'editor', 'owner'))
        INSERT INTO import_rows (tenant_id, job_id, kind, id, row)
        SELECT $1, $2, 'note', at || '/' || id || '/' || field, jsonb_build_object('table', at, 'id', id, 'field', field, 'note', note) FROM said
        ON CONFLICT DO NOTHING
        """;

    private const string CountsSql = """
        SELECT 'users', count(*), count(*) FILTER (WHERE (m.row ->> 'isNew')::boolean), count(*) FILTER (WHERE NOT (m.row ->> 'isNew')::boolean), 0::bigint
        FROM import_rows m WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user'
        UNION ALL
        SELECT 'personas', count(*), count(made.persona), count(*) - count(made.persona), 0 FROM import_rows p
        LEFT JOIN (
          SELECT DISTINCT m.row ->> 'persona' AS persona
          FROM import_rows m JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new persona' AND n.id = m.row ->> 'to'
          WHERE m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'persona') made ON made.persona = p.id
        WHERE p.tenant_id = $1 AND p.job_id = $2 AND p.kind = 'personas'
        UNION ALL
        SELECT 'personalities', count(*), count(n.id), count(*) - count(n.id), 0 FROM import_rows r
        LEFT JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new personality' AND n.id = r.id
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personalities'
        UNION ALL
        SELECT 'personality_owners', count(*), count(n.id), count(*) FILTER (WHERE n.id IS NULL AND o.user_id IS NOT NULL), count(*) FILTER (WHERE n.id IS NULL AND o.user_id IS NULL)
        FROM import_rows r
        LEFT JOIN import_rows m ON m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.id = r.row ->> 'user_id'
        LEFT JOIN personality_owners o ON o.tenant_id = $1 AND o.personality_id = (r.row ->> 'personality_id')::uuid AND o.user_id = (m.row ->> 'to')::uuid
        LEFT JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new owner' AND n.id = (r.row ->> 'personality_id') || '/' || (m.row ->> 'to')
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'personality_owners'
        UNION ALL
        SELECT 'user_personality_settings', count(*), count(n.id), count(*) FILTER (WHERE n.id IS NULL AND o.user_id IS NOT NULL), count(*) FILTER (WHERE n.id IS NULL AND o.user_id IS NULL)
        FROM import_rows r
        LEFT JOIN import_rows m ON m.tenant_id = $1 AND m.job_id = $2 AND m.kind = 'user' AND m.id = r.row ->> 'user_id'
        LEFT JOIN user_personality_configs o ON o.tenant_id = $1 AND o.personality_id = (r.row ->> 'personality_id')::uuid AND o.user_id = (m.row ->> 'to')::uuid
        LEFT JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new override' AND n.id = (m.row ->> 'to') || '/' || (r.row ->> 'personality_id')
        WHERE r.tenant_id = $1 AND r.job_id = $2 AND r.kind = 'user_personality_settings'
        UNION ALL
        SELECT k.kind, count(r.id), count(*) FILTER (WHERE n.id IS NOT NULL AND is_good), count(*) FILTER (WHERE r.id IS NOT NULL AND n.id IS NULL AND is_good),
          count(*) FILTER (WHERE r.id IS NOT NULL AND NOT is_good)
        FROM (VALUES ('activated_channels'), ('conversation_history')) AS k(kind)
        LEFT JOIN import_rows r ON r.tenant_id = $1 AND r.job_id = $2 AND r.kind = k.kind
        LEFT JOIN import_rows n ON n.tenant_id = $1 AND n.job_id = $2 AND n.kind = 'new channel' AND n.id = r.row ->> 'channel_id'
        CROSS JOIN LATERAL (SELECT coalesce(r.row ->> 'channel_id', '') <> ''
          AND CASE k.kind WHEN 'activated_channels' THEN r.row ->> 'personality_id' IS NOT NULL ELSE coalesce(r.row ->> 'role' IN ('user', 'assistant', 'system'), false) END AS is_good) good
        GROUP BY k.kind
        """;

    private const string FindUserSql = """
        SELECT u.id FROM users u WHERE u.tenant_id = $1 AND (u.id::text = $2
          OR u.id = (SELECT i.user_id FROM user_identities i WHERE i.tenant_id = $1 AND i.provider = split_part($2, ':', 1) AND i.subject = substr($2, strpos($2, ':') + 1)))
        """;

    private const string CountNotesSql = "SELECT count(*) FROM import_rows WHERE tenant_id = $1 AND job_id = $2 AND kind = 'note'";

    public async Task Users()
    {
        await Run(MapUsersSql);
        await RunAt(UsersSql);
        await RunAt(IdentitiesSql);
    }

    /// <returns>How many personas nobody owns or uses.</returns>
    public async Task<long> MapPersonas()
    {
        await Run(MapPersonasSql);
        return (await transaction.Read(CountOrphansSql, Of(), row => row.GetInt64(0), cancel))[0];
    }

    public async Task Personas(Guid? orphansTo)
    {
        if (orphansTo is { } owner)
        {
            await transaction.Run(MapOrphansSql, [.. Of(), Sql.Uuid(owner)], cancel);
        }

        await RunAt(PersonasSql);
        await RunAt(OwnDefaultsSql);
        await RunAt(DefaultsSql);
    }

    /// <summary>By id, or by provider:subject.</summary>
    public async Task<Guid?> FindUser(string named) =>
        await transaction.Read(FindUserSql, [Sql.Uuid(tenant), Sql.Text(named)], row => row.GetGuid(0), cancel) is [var user, ..] ? user : null;

    public async Task<long> CountNotes() => (await transaction.Read(CountNotesSql, Of(), row => row.GetInt64(0), cancel))[0];

    public Task<List<StagedRow>> Staged(string kind) => transaction.Read(
        StagedSql, [.. Of(), Sql.Text(kind)], row => new StagedRow(row.GetString(0), new JsonText(row.GetString(1))), cancel);

    public Task<List<string>> TakenSlugs() => transaction.Read(TakenSlugsSql, [Sql.Uuid(tenant)], row => row.GetString(0), cancel);

    public Task<List<(string Id, string? Slug, string? Name)>> NewPersonalities() => transaction.Read(
        NewPersonalitiesSql, Of(), row => (row.GetString(0), row.TextOrNull(1), row.TextOrNull(2)), cancel);

    public async Task Personalities(IReadOnlyList<(string Id, string Slug)> slugs)
    {
        await transaction.Run(PutSlugsSql, [.. Of(), Sql.Texts([.. slugs.Select(slug => slug.Id)]), Sql.Texts([.. slugs.Select(slug => slug.Slug)])], cancel);
        await RunAt(PersonalitiesSql);
        await RunAt(OwnersSql);
        await RunAt(DefaultConfigsSql);
        await RunAt(OverridesSql);
    }

    public async Task Channels()
    {
        await RunAt(ChannelsSql);
        await RunAt(MembersSql);
        await RunAt(ActivationsSql);
        await RunAt(HistorySql);
        await Run(LastNumbersSql);
    }

    public Task<List<Guid>> Touched() => transaction.Read(TouchedSql, Of(), row => row.GetGuid(0), cancel);

    /// <summary>What was not there before.</summary>
    public Task<List<NewThing>> New() => transaction.Read(
        NewIdsSql, Of(), row => new NewThing(row.GetString(0), row.GetString(1), row.TextOrNull(2) is { } owner ? Guid.Parse(owner) : null), cancel);

    public async Task Note(IReadOnlyList<(string Table, string Id, string Field, string Note)> notes)
    {
        await Run(NotesSql);
        await transaction.Run(PutNotesSql,
            [
                .. Of(), Sql.Texts([.. notes.Select(note => note.Table)]), Sql.Texts([.. notes.Select(note => note.Id)]), Sql.Texts([.. notes.Select(note => note.Field)]),
                Sql.Texts([.. notes.Select(note => note.Note)]),
            ], cancel);
    }

    public Task<List<LegacyCount>> Counts() => transaction.Read(
        CountsSql, Of(), row => new LegacyCount(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), cancel);

    private Task<int> Run(string sql) => transaction.Run(sql, Of(), cancel);

    private Task<int> RunAt(string sql) => transaction.Run(sql, [.. Of(), Sql.Time(now)], cancel);

    private NpgsqlParameter[] Of() => [Sql.Uuid(tenant), Sql.Uuid(job)];
}
