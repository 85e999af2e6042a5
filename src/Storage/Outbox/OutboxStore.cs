using Npgsql;
using PersonaActors.Contracts;

namespace PersonaActors.Storage.Outbox;

public sealed record OutboxTask(Guid Tenant, Guid Id, string Kind, JsonText Payload, int Attempts);

/// <summary>Tasks that were committed with the change that asked for them. Claimed under a lease, so that a crash gives them back.</summary>
public sealed class OutboxStore(Database database)
{
    private const string ClaimSql = """
        UPDATE outbox_tasks t SET leased_until = $1 + interval '1 minute'
        FROM (SELECT tenant_id, id FROM outbox_tasks
              WHERE status = 'pending' AND run_after <= $1 AND (leased_until IS NULL OR leased_until <= $1)
              ORDER BY run_after LIMIT $2 FOR UPDATE SKIP LOCKED) due
        WHERE t.tenant_id = due.tenant_id AND t.id = due.id
        RETURNING t.tenant_id, t.id, t.kind, t.payload, t.attempts
        """;

    public async Task<IReadOnlyList<OutboxTask>> Claim(DateTimeOffset now, int limit, CancellationToken cancel)
    {
        await using var command = database.Worker.CreateCommand(ClaimSql);
        command.Parameters.Add(Sql.Time(now));
        command.Parameters.Add(Sql.Int(limit));
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var tasks = new List<OutboxTask>();
        while (await reader.ReadAsync(cancel))
        {
            tasks.Add(new OutboxTask(reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), new JsonText(reader.GetString(3)), reader.GetInt32(4)));
        }

        return tasks;
    }

    private const string DoneSql = "DELETE FROM outbox_tasks WHERE tenant_id = $1 AND id = $2";

    public Task Done(OutboxTask task, CancellationToken cancel) => Run(DoneSql, cancel, Sql.Uuid(task.Tenant), Sql.Uuid(task.Id));

    private const string FailedSql = """
        UPDATE outbox_tasks SET attempts = $3, status = $4, run_after = $5, leased_until = NULL, last_error = $6
        WHERE tenant_id = $1 AND id = $2
        """;

    public Task Failed(OutboxTask task, int attempts, bool final, DateTimeOffset runAfter, string error, CancellationToken cancel) => Run(
        FailedSql, cancel, Sql.Uuid(task.Tenant), Sql.Uuid(task.Id), Sql.Int(attempts), Sql.Text(final ? "failed" : "pending"),
        Sql.Time(runAfter), Sql.Text(error.Length <= 500 ? error : error[..500]));

    private async Task Run(string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
