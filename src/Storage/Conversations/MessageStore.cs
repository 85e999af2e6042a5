using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Storage.Conversations;

/// <summary>A message by its client id, also one that is there no more for anybody.</summary>
public sealed record KnownMessage(MessageView Message, bool IsShown);

/// <summary>What was said in channels.</summary>
public sealed class MessageStore(Database database)
{
    public const string ClientIdKey = "conversation_history_client_id";

    internal const string AsJson = """
        json_build_object('number', h.number, 'clientId', h.client_id, 'role', h.role, 'content', h.content, 'tokens', h.tokens, 'personalityId', h.personality_id,
          'userId', h.user_id, 'personaId', h.persona_id, 'speaker', h.speaker, 'replyTo', h.reply_to, 'createdAt', h.created_at, 'editedAt', h.edited_at)
        """;

    /// <summary>Neither deleted nor cleared.</summary>
    internal const string IsShown = $"h.deleted_at IS NULL AND NOT EXISTS (SELECT {ClearOf})";

    private const string ClearOf = $"FROM conversation_clears k WHERE {IsCleared}";

    /// <summary>By the clear k.</summary>
    internal const string IsCleared = """
        k.tenant_id = h.tenant_id AND k.channel_id = h.channel_id AND h.number <= k.up_to
          AND (k.user_id IS NULL OR k.user_id = h.user_id) AND (k.personality_id IS NULL OR k.personality_id = h.personality_id)
        """;

    /// <summary>In the order that <see cref="Map"/> reads.</summary>
    private const string Columns = """
        h.number, h.client_id, h.role, h.content, h.tokens, h.personality_id, h.user_id, h.persona_id, h.speaker, h.reply_to, h.created_at, h.edited_at
        """;

    internal static MessageView[] FromJson(string json) => [.. new JsonText(json).Read<MessageView[]>().Select(message => message with
    {
        CreatedAt = message.CreatedAt.ToUniversalTime(),
        EditedAt = message.EditedAt?.ToUniversalTime(),
    })];

    private const string InsertSql = """
        INSERT INTO conversation_history (tenant_id, channel_id, number, client_id, role, content, tokens, personality_id, user_id, persona_id, speaker, reply_to, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """;

    public static void Insert(ScopedBatch batch, ChannelKey key, MessageView message) => batch.Add(InsertSql,
        Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Bigint(message.Number), Sql.Text(message.ClientId), Sql.Text(Word(message.Role)), Sql.Text(message.Content),
        Sql.Int(message.Tokens), Sql.Uuid(message.PersonalityId), Sql.Uuid(message.UserId), Sql.Uuid(message.PersonaId), Sql.Text(message.Speaker),
        Sql.Text(message.ReplyTo), Sql.Time(message.CreatedAt));

    private const string EditSql = """
        WITH changed AS (
          UPDATE conversation_history SET content = $4, tokens = $5, edited_at = $6
          WHERE tenant_id = $1 AND channel_id = $2 AND number = $3 AND deleted_at IS NULL RETURNING 1)
        SELECT must_hit(count(*), 'message') FROM changed
        """;

    /// <summary>Retention may have taken it meanwhile.</summary>
    public static void Edit(ScopedBatch batch, ChannelKey key, MessageView message) => batch.AddGuarded(EditSql,
        Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Bigint(message.Number), Sql.Text(message.Content), Sql.Int(message.Tokens), Sql.Time(message.EditedAt));

    private const string DeleteSql = """
        UPDATE conversation_history SET content = '', tokens = 0, persona_id = NULL, speaker = NULL, reply_to = NULL, deleted_at = $4
        WHERE tenant_id = $1 AND channel_id = $2 AND number = $3
        """;

    /// <summary>Its client id stays used.</summary>
    public static void Delete(ScopedBatch batch, ChannelKey key, long number, DateTimeOffset at) =>
        batch.Add(DeleteSql, Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Bigint(number), Sql.Time(at));

    private const string MakeFinalSql = """
        UPDATE conversation_clears SET is_final = true
        WHERE tenant_id = $1 AND channel_id = $2 AND user_id IS NOT DISTINCT FROM $3 AND personality_id IS NOT DISTINCT FROM $4 AND NOT is_final
        """;

    public static void MakeFinal(ScopedBatch batch, ChannelKey key, HistoryPart part) =>
        batch.Add(MakeFinalSql, Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(part.UserId), Sql.Uuid(part.PersonalityId));

    private const string ClearSql = """
        INSERT INTO conversation_clears (tenant_id, id, channel_id, user_id, personality_id, up_to, cleared_at, is_final) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    public static void Clear(ScopedBatch batch, ChannelKey key, ClearView clear) => batch.Add(ClearSql,
        Sql.Uuid(key.Tenant), Sql.Uuid(clear.Id), Sql.Text(key.Id), Sql.Uuid(clear.UserId), Sql.Uuid(clear.PersonalityId), Sql.Bigint(clear.UpTo),
        Sql.Time(clear.ClearedAt), Sql.Bool(clear.IsFinal));

    private const string FindClearSql = """
        SELECT id, user_id, personality_id, up_to, cleared_at, is_final FROM conversation_clears
        WHERE tenant_id = $1 AND channel_id = $2 AND user_id IS NOT DISTINCT FROM $3 AND personality_id IS NOT DISTINCT FROM $4 AND NOT is_final AND cleared_at > $5
        ORDER BY cleared_at DESC LIMIT 1
        """;

    /// <summary>The last clear of just this part that can be taken back.</summary>
    public Task<ClearView?> FindClear(ChannelKey key, HistoryPart part, DateTimeOffset since) => database.ReadOne(
        RowScope.OfTenant(key.Tenant), FindClearSql,
        [Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(part.UserId), Sql.Uuid(part.PersonalityId), Sql.Time(since)],
        row => new ClearView(row.GetGuid(0), row.GuidOrNull(1), row.GuidOrNull(2), row.GetInt64(3), row.Time(4), row.GetBoolean(5)));

    private const string RestoreSql = """
        WITH changed AS (DELETE FROM conversation_clears WHERE tenant_id = $1 AND channel_id = $2 AND id = $3 AND NOT is_final RETURNING 1)
        SELECT must_hit(count(*), 'clear') FROM changed
        """;

    public static void Restore(ScopedBatch batch, ChannelKey key, Guid clear) => batch.AddGuarded(RestoreSql, Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(clear));

    private const string NewestWithoutSql = $"""
        SELECT {Columns} FROM conversation_history h
        WHERE h.tenant_id = $1 AND h.channel_id = $2 AND h.number > $3 AND h.deleted_at IS NULL AND NOT EXISTS (SELECT {ClearOf} AND k.id <> $4)
        ORDER BY h.number
        """;

    /// <summary>Those that would be seen of the newest without a clear, oldest first.</summary>
    public Task<List<MessageView>> NewestWithout(Guid clear, ChannelKey key, long lastNumber, int count) => database.ReadMany(
        RowScope.OfTenant(key.Tenant), NewestWithoutSql, [Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Bigint(lastNumber - count), Sql.Uuid(clear)], Map);

    private const string FindSql = $"SELECT {Columns}, {IsShown} FROM conversation_history h WHERE h.tenant_id = $1 AND h.channel_id = $2 AND h.client_id = $3";

    public Task<KnownMessage?> Find(ChannelKey key, string clientId) => database.ReadOne(
        RowScope.OfTenant(key.Tenant), FindSql, [Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Text(clientId)], row => new KnownMessage(Map(row), row.GetBoolean(12)));

    private const string ListSql = $"""
        SELECT {Columns} FROM conversation_history h
        WHERE h.tenant_id = $1 AND h.channel_id = $2 AND h.number < $3 AND h.created_at >= $4
          AND ($5::uuid IS NULL OR h.personality_id = $5 OR h.personality_id IS NULL) AND {IsShown}
        ORDER BY h.number DESC LIMIT $6
        """;

    /// <summary>The newest first, before a number.</summary>
    /// <param name="scope">Whose rows: a user's transaction sees the channels that the user is in.</param>
    public Task<List<MessageView>> List(RowScope scope, ChannelKey key, long before, DateTimeOffset since, Guid? personality, int limit, CancellationToken cancel) =>
        database.ReadMany(scope, ListSql,
            [Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Bigint(before), Sql.Time(since), Sql.Uuid(personality), Sql.Int(limit)], Map, cancel);

    private static string Word(MessageRole role) => role.ToString().ToLowerInvariant();

    private static MessageView Map(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1), Enum.Parse<MessageRole>(row.GetString(2), ignoreCase: true), row.GetString(3), row.GetInt32(4), row.GuidOrNull(5),
        row.GuidOrNull(6), row.GuidOrNull(7), row.TextOrNull(8), row.TextOrNull(9), row.Time(10), row.TimeOrNull(11));
}
