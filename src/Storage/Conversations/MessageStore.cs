using Npgsql;
using PersonaActors.Contracts;
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
    internal const string IsShown = """
        h.deleted_at IS NULL AND NOT EXISTS (
          SELECT FROM conversation_clears k WHERE k.tenant_id = h.tenant_id AND k.channel_id = h.channel_id AND h.number <= k.up_to
            AND (k.user_id IS NULL OR k.user_id = h.user_id) AND (k.personality_id IS NULL OR k.personality_id = h.personality_id))
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
