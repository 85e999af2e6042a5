using Npgsql;

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
        Count(PruneSql, cancel, Sql.Uuid(tenant), Sql.Time(before), Sql.Int(batch));

    private const string EraseClearedSql = """
        WITH old AS (
          SELECT h.channel_id, h.number FROM conversation_clears k
          JOIN conversation_history h ON h.tenant_id = k.tenant_id AND h.channel_id = k.channel_id AND h.number <= k.up_to
            AND (k.user_id IS NULL OR k.user_id = h.user_id) AND (k.personality_id IS NULL OR k.personality_id = h.personality_id)
          WHERE k.tenant_id = $1 AND k.id = $2 LIMIT $3),
        gone AS (
          DELETE FROM conversation_history h USING old WHERE h.tenant_id = $1 AND h.channel_id = old.channel_id AND h.number = old.number RETURNING 1)
        SELECT count(*) FROM gone
        """;

    private const string EndClearSql = "DELETE FROM conversation_clears WHERE tenant_id = $1 AND id = $2";

    /// <summary>The messages of a clear, then the clear: it is what hides them.</summary>
    public async Task EraseCleared(Guid tenant, Guid clear, int batch, CancellationToken cancel)
    {
        while (await Count(EraseClearedSql, cancel, Sql.Uuid(tenant), Sql.Uuid(clear), Sql.Int(batch)) == batch)
        {
        }

        await using var command = database.Worker.CreateCommand(EndClearSql);
        command.Parameters.AddRange((NpgsqlParameter[])[Sql.Uuid(tenant), Sql.Uuid(clear)]);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private const string DueSql = "SELECT tenant_id, id FROM conversation_clears WHERE is_final OR cleared_at < $1 ORDER BY tenant_id, id LIMIT $2";

    /// <summary>Clears that are final, or were made before a time.</summary>
    public async Task<List<(Guid Tenant, Guid Clear)>> Due(DateTimeOffset before, int limit, CancellationToken cancel)
    {
        await using var command = database.Worker.CreateCommand(DueSql);
        command.Parameters.AddRange((NpgsqlParameter[])[Sql.Time(before), Sql.Int(limit)]);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var due = new List<(Guid, Guid)>();
        while (await reader.ReadAsync(cancel))
        {
            due.Add((reader.GetGuid(0), reader.GetGuid(1)));
        }

        return due;
    }

    private const string TenantsSql = "SELECT tenant_id, conversation_retention_days FROM tenants ORDER BY tenant_id";

    public async Task<List<(Guid Tenant, int RetentionDays)>> Tenants(CancellationToken cancel)
    {
        await using var command = database.Worker.CreateCommand(TenantsSql);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var tenants = new List<(Guid, int)>();
        while (await reader.ReadAsync(cancel))
        {
            tenants.Add((reader.GetGuid(0), reader.GetInt32(1)));
        }

        return tenants;
    }

    private async Task<long> Count(string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }
}
