using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Storage.Conversations;

/// <summary>An activation, and whether it was told that it is skipped.</summary>
public sealed record Activation(Guid PersonalityId, int Place, bool AutoRespond, Guid? ActivatedBy, DateTimeOffset ActivatedAt, bool IsSkipped)
{
    public ActivationView View => new(PersonalityId, Place, AutoRespond, ActivatedBy, ActivatedAt);
}

/// <summary>A channel as it is loaded.</summary>
/// <param name="Newest">The newest messages that are to be seen, oldest first.</param>
public sealed record ChannelRow(
    ChannelView View, Items<ChannelMember> Members, Items<Activation> Active, IReadOnlyList<MessageView> Newest, long RowVersion, long Seq);

/// <summary>Channels, their members and their activations.</summary>
public sealed class ChannelStore(Database database)
{
    private const string LoadSql = $"""
        SELECT c.settings, c.last_number, c.version, c.row_version, c.created_at, c.updated_at,
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3),
          (SELECT coalesce(json_agg(json_build_object('userId', m.user_id, 'addedAt', m.added_at) ORDER BY m.user_id), '[]')
           FROM channel_members m WHERE m.tenant_id = $1 AND m.channel_id = $2),
          (SELECT coalesce(json_agg(json_build_object('personalityId', a.personality_id, 'place', a.place, 'autoRespond', a.auto_respond,
             'activatedBy', a.activated_by, 'activatedAt', a.activated_at, 'isSkipped', a.is_skipped) ORDER BY a.place, a.activated_at, a.personality_id), '[]')
           FROM activated_channels a WHERE a.tenant_id = $1 AND a.channel_id = $2),
          (SELECT coalesce(json_agg({MessageStore.AsJson} ORDER BY h.number), '[]')
           FROM conversation_history h WHERE h.tenant_id = $1 AND h.channel_id = $2 AND h.number > c.last_number - $4 AND {MessageStore.IsShown})
        FROM channels c WHERE c.tenant_id = $1 AND c.channel_id = $2
        """;

    /// <summary>Its grain's key names no user, so this looks in the whole tenant.</summary>
    /// <param name="newest">How many of the newest messages, those that aren't to be seen among them.</param>
    public Task<ChannelRow?> Load(ChannelKey key, OwnerEpoch epoch, int newest) => database.LoadOwned(
        RowScope.OfTenant(key.Tenant), epoch, LoadSql, [Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Text(epoch.Stream), Sql.Int(newest)],
        row => new ChannelRow(
            new ChannelView(key.Id, SettingsTier.FromStored(row.GetString(0)), row.GetInt64(1), row.GetInt64(2), row.Time(4), row.Time(5)),
            new JsonText(row.GetString(7)).Read<ChannelMember[]>().Select(member => member with { AddedAt = member.AddedAt.ToUniversalTime() }).ToItems(),
            new JsonText(row.GetString(8)).Read<Activation[]>().Select(active => active with { ActivatedAt = active.ActivatedAt.ToUniversalTime() }).ToItems(),
            MessageStore.FromJson(row.GetString(9)), row.GetInt64(3), row.ValueOrNull<long>(6) ?? 0));

    private const string SaveSql = """
        WITH made AS (
          INSERT INTO channels (tenant_id, channel_id, settings, last_number, version, row_version, created_at, updated_at)
          SELECT $1::uuid, $2::text, $3::jsonb, $4::bigint, $5::bigint, $6::bigint, $7::timestamptz, $7::timestamptz WHERE $6::bigint = 1
          ON CONFLICT DO NOTHING RETURNING 1),
        moved AS (
          UPDATE channels SET settings = $3, last_number = $4, version = $5, row_version = $6, updated_at = $7
          WHERE tenant_id = $1 AND channel_id = $2 AND row_version = $6::bigint - 1 AND $6::bigint > 1 RETURNING 1)
        SELECT must_hit((SELECT count(*) FROM made) + (SELECT count(*) FROM moved), 'channel')
        """;

    /// <summary>Every command of a channel goes through this row: its row version says which one it replaces.</summary>
    public static void Save(ScopedBatch batch, ChannelKey key, ChannelView view, long rowVersion) => batch.AddGuarded(SaveSql,
        Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Jsonb(view.Settings.ToStored().Json), Sql.Bigint(view.LastNumber), Sql.Bigint(view.Version),
        Sql.Bigint(rowVersion), Sql.Time(view.UpdatedAt));

    private const string AddMemberSql = "INSERT INTO channel_members (tenant_id, channel_id, user_id, added_at) VALUES ($1, $2, $3, $4)";

    public static void AddMember(ScopedBatch batch, ChannelKey key, ChannelMember member) => batch.Add(AddMemberSql,
        Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(member.UserId), Sql.Time(member.AddedAt));

    private const string RemoveMemberSql = "DELETE FROM channel_members WHERE tenant_id = $1 AND channel_id = $2 AND user_id = $3";

    public static void RemoveMember(ScopedBatch batch, ChannelKey key, Guid user) =>
        batch.Add(RemoveMemberSql, Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(user));

    private const string ActivateSql = """
        INSERT INTO activated_channels (tenant_id, channel_id, personality_id, place, auto_respond, activated_by, activated_at, is_skipped)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (tenant_id, channel_id, personality_id) DO UPDATE
        SET place = $4, auto_respond = $5, activated_by = $6, activated_at = $7, is_skipped = $8
        """;

    public static void Activate(ScopedBatch batch, ChannelKey key, Activation active) => batch.Add(ActivateSql,
        Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(active.PersonalityId), Sql.Int(active.Place), Sql.Bool(active.AutoRespond),
        Sql.Uuid(active.ActivatedBy), Sql.Time(active.ActivatedAt), Sql.Bool(active.IsSkipped));

    private const string DeactivateSql = "DELETE FROM activated_channels WHERE tenant_id = $1 AND channel_id = $2 AND personality_id = $3";

    public static void Deactivate(ScopedBatch batch, ChannelKey key, Guid personality) =>
        batch.Add(DeactivateSql, Sql.Uuid(key.Tenant), Sql.Text(key.Id), Sql.Uuid(personality));

    private const string OfUserSql = """
        SELECT channel_id FROM channel_members WHERE tenant_id = $1 AND user_id = $2
        UNION SELECT channel_id FROM activated_channels WHERE tenant_id = $1 AND activated_by = $2
        UNION SELECT channel_id FROM conversation_history WHERE tenant_id = $1 AND user_id = $2
        """;

    /// <summary>The channels in which something is of a user.</summary>
    public Task<List<string>> OfUser(Guid tenant, Guid user) => database.ReadMany(
        RowScope.OfTenant(tenant), OfUserSql, [Sql.Uuid(tenant), Sql.Uuid(user)], row => row.GetString(0));
}
