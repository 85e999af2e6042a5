namespace PersonaActors.Storage.Conversations;

/// <summary>What the worker login does to conversations: takes what is past retention, and what was cleared for good. In batches, so that nothing waits long.</summary>
public sealed class ConversationKeeper(Database database)
{
    private const string PruneSql = """
        WITH old AS (
          SELECT h.channel_id, h.number FROM conversation_history h
          WHERE h.tenant_id = $1 AND h.created_at < $2 ORDER BY h.created_at LIMIT $3),
        gone AS (
          DELETE FROM conversation_history h USING old WHERE h.tenant_id = $1 AND h.channel_id = old.channel_id AND h.number = old.number RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public Task<long> Prune(Guid tenant, DateTimeOffset before, int batch, CancellationToken cancel) =>
        database.Worker.Count(PruneSql, cancel, Sql.Uuid(tenant), Sql.Time(before), Sql.Int(batch));

    private const string EraseClearedSql = $"""
        WITH old AS (
          SELECT h.channel_id, h.number FROM conversation_clears k
          JOIN conversation_history h ON {MessageStore.IsCleared}
          WHERE k.tenant_id = $1 AND k.id = $2 LIMIT $3),
        gone AS (
          DELETE FROM conversation_history h USING old WHERE h.tenant_id = $1 AND h.channel_id = old.channel_id AND h.number = old.number RETURNING 1)
        SELECT count(*) FROM gone
        """;

    private const string EndClearSql = "DELETE FROM conversation_clears WHERE tenant_id = $1 AND id = $2";

    /// <summary>The messages of a clear, then the clear: it is what hides them.</summary>
    public async Task EraseCleared(Guid tenant, Guid clear, int batch, CancellationToken cancel)
    {
        await Rounds.Drain(batch, () => database.Worker.Count(EraseClearedSql, cancel, Sql.Uuid(tenant), Sql.Uuid(clear), Sql.Int(batch)));
        await database.Worker.Run(EndClearSql, cancel, Sql.Uuid(tenant), Sql.Uuid(clear));
    }

    private const string DueSql = "SELECT tenant_id, id FROM conversation_clears WHERE is_final OR cleared_at < $1 ORDER BY tenant_id, id LIMIT $2";

    /// <summary>Clears that are final, or were made before a time.</summary>
    public Task<List<(Guid Tenant, Guid Clear)>> Due(DateTimeOffset before, int limit, CancellationToken cancel) =>
        database.Worker.Many(DueSql, static row => (row.GetGuid(0), row.GetGuid(1)), cancel, Sql.Time(before), Sql.Int(limit));

    private const string TenantsSql = "SELECT tenant_id, conversation_retention_days FROM tenants ORDER BY tenant_id";

    public Task<List<(Guid Tenant, int RetentionDays)>> Tenants(CancellationToken cancel) =>
        database.Worker.Many(TenantsSql, static row => (row.GetGuid(0), row.GetInt32(1)), cancel);
}
