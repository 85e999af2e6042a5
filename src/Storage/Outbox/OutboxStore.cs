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

    public Task<List<OutboxTask>> Claim(DateTimeOffset now, int limit, CancellationToken cancel) => database.Worker.Many(
        ClaimSql, static row => new OutboxTask(row.GetGuid(0), row.GetGuid(1), row.GetString(2), new JsonText(row.GetString(3)), row.GetInt32(4)), cancel, Sql.Time(now), Sql.Int(limit));

    private const string DoneSql = "DELETE FROM outbox_tasks WHERE tenant_id = $1 AND id = $2";

    public Task Done(OutboxTask task, CancellationToken cancel) => database.Worker.Run(DoneSql, cancel, Sql.Uuid(task.Tenant), Sql.Uuid(task.Id));

    private const string FailedSql = """
        UPDATE outbox_tasks SET attempts = $3, status = $4, run_after = $5, leased_until = NULL, last_error = $6
        WHERE tenant_id = $1 AND id = $2
        """;

    public Task Failed(OutboxTask task, int attempts, bool final, DateTimeOffset runAfter, string error, CancellationToken cancel) => database.Worker.Run(
        FailedSql, cancel, Sql.Uuid(task.Tenant), Sql.Uuid(task.Id), Sql.Int(attempts), Sql.Text(final ? "failed" : "pending"),
        Sql.Time(runAfter), Sql.Text(error.Length <= 500 ? error : error[..500]));
}
