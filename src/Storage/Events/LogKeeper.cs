namespace PersonaActors.Storage.Events;

/// <summary>What the worker login does to the log: prunes it by age, and erases what was a user's. In batches, so that nothing waits long.</summary>
public sealed class LogKeeper(Database database)
{
    // The newest event of a stream stays, whatever its age is, so does the stream's row: numbers never start again.
    private const string PruneSql = """
        WITH old AS (
          SELECT e.stream, e.seq FROM events e
          WHERE e.tenant_id = $1 AND e.at < $2
            AND e.seq < (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = e.stream)
          ORDER BY e.at, e.seq LIMIT $3),
        gone AS (
          DELETE FROM events e USING old WHERE e.tenant_id = $1 AND e.stream = old.stream AND e.seq = old.seq RETURNING e.stream, e.seq),
        moved AS (
          UPDATE streams s SET oldest = greatest(s.oldest, g.last + 1)
          FROM (SELECT stream, max(seq) AS last FROM gone GROUP BY stream) g
          WHERE s.tenant_id = $1 AND s.stream = g.stream)
        SELECT count(*) FROM gone
        """;

    public Task<long> PruneEvents(Guid tenant, DateTimeOffset before, int batch, CancellationToken cancel) =>
        database.Worker.Count(PruneSql, cancel, Sql.Uuid(tenant), Sql.Time(before), Sql.Int(batch));

    private const string PruneSystemSql = """
        WITH old AS (
          SELECT e.stream, e.seq FROM events e
          WHERE e.tenant_id IS NULL AND e.at < $1
            AND e.seq < (SELECT s.seq FROM streams s WHERE s.tenant_id IS NULL AND s.stream = e.stream)
          ORDER BY e.at, e.seq LIMIT $2),
        gone AS (
          DELETE FROM events e USING old WHERE e.tenant_id IS NULL AND e.stream = old.stream AND e.seq = old.seq RETURNING e.stream, e.seq),
        moved AS (
          UPDATE streams s SET oldest = greatest(s.oldest, g.last + 1)
          FROM (SELECT stream, max(seq) AS last FROM gone GROUP BY stream) g
          WHERE s.tenant_id IS NULL AND s.stream = g.stream)
        SELECT count(*) FROM gone
        """;

    public Task<long> PruneSystemEvents(DateTimeOffset before, int batch, CancellationToken cancel) =>
        database.Worker.Count(PruneSystemSql, cancel, Sql.Time(before), Sql.Int(batch));

    private const string PruneAnswersSql = """
        WITH gone AS (
          DELETE FROM command_log c USING (
            SELECT tenant_id, caller, id FROM command_log WHERE tenant_id = $1 AND at < $2 ORDER BY at LIMIT $3) old
          WHERE c.tenant_id = $1 AND c.caller = old.caller AND c.id = old.id RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public Task<long> PruneAnswers(Guid tenant, DateTimeOffset before, int batch, CancellationToken cancel) =>
        database.Worker.Count(PruneAnswersSql, cancel, Sql.Uuid(tenant), Sql.Time(before), Sql.Int(batch));

    private const string PruneSystemAnswersSql = """
        WITH gone AS (
          DELETE FROM command_log c USING (
            SELECT caller, id FROM command_log WHERE tenant_id IS NULL AND at < $1 ORDER BY at LIMIT $2) old
          WHERE c.tenant_id IS NULL AND c.caller = old.caller AND c.id = old.id RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public Task<long> PruneSystemAnswers(DateTimeOffset before, int batch, CancellationToken cancel) =>
        database.Worker.Count(PruneSystemAnswersSql, cancel, Sql.Time(before), Sql.Int(batch));

    private const string EraseEventsSql = """
        WITH gone AS (
          DELETE FROM events e USING (
            SELECT x.stream, x.seq FROM streams s JOIN events x ON x.tenant_id = s.tenant_id AND x.stream = s.stream
            WHERE s.tenant_id = $1 AND s.owner_id = $2 LIMIT $3) old
          WHERE e.tenant_id = $1 AND e.stream = old.stream AND e.seq = old.seq RETURNING 1)
        SELECT count(*) FROM gone
        """;

    private const string EraseStreamsSql = "DELETE FROM streams WHERE tenant_id = $1 AND owner_id = $2";

    private const string EraseAnswersSql = "DELETE FROM command_log WHERE tenant_id = $1 AND owner_id = $2";

    /// <summary>Removes every event of the user's streams, the streams, and the answers stored for the user. Running it twice does no harm.</summary>
    public async Task EraseUser(Guid tenant, Guid user, CancellationToken cancel)
    {
        while (await database.Worker.Count(EraseEventsSql, cancel, Sql.Uuid(tenant), Sql.Uuid(user), Sql.Int(5000)) > 0)
        {
        }

        await database.Worker.Run(EraseStreamsSql, cancel, Sql.Uuid(tenant), Sql.Uuid(user));
        await database.Worker.Run(EraseAnswersSql, cancel, Sql.Uuid(tenant), Sql.Uuid(user));
    }

    private const string EraseStreamSql = """
        WITH gone AS (DELETE FROM events WHERE tenant_id = $1 AND stream = $2)
        DELETE FROM streams WHERE tenant_id = $1 AND stream = $2
        """;

    /// <summary>Removes a stream whose thing is gone for good.</summary>
    public Task EraseStream(Guid tenant, string stream, CancellationToken cancel) => database.Worker.Run(EraseStreamSql, cancel, Sql.Uuid(tenant), Sql.Text(stream));

    private const string EraseBeforeSql = """
        WITH gone AS (
          DELETE FROM events WHERE tenant_id = $1 AND stream = $2 AND at < $3 RETURNING seq)
        UPDATE streams s SET oldest = greatest(s.oldest, g.last + 1) FROM (SELECT max(seq) AS last FROM gone) g
        WHERE s.tenant_id = $1 AND s.stream = $2 AND g.last IS NOT NULL
        """;

    /// <summary>Cuts a stream at a time: whoever comes from before it gets the state.</summary>
    public Task EraseBefore(Guid tenant, string stream, DateTimeOffset at, CancellationToken cancel) =>
        database.Worker.Run(EraseBeforeSql, cancel, Sql.Uuid(tenant), Sql.Text(stream), Sql.Time(at));

    // What is nobody's own: the tenant's, its catalogue's, its characters'.
    private const string EraseMentionsSql = """
        WITH mentioned AS (
          SELECT stream, max(seq) AS last FROM events WHERE tenant_id = $1 AND owner_id IS NULL AND strpos(data::text, $2) > 0 GROUP BY stream),
        gone AS (
          DELETE FROM events e USING mentioned m WHERE e.tenant_id = $1 AND e.stream = m.stream AND e.seq <= m.last),
        moved AS (
          UPDATE streams s SET oldest = greatest(s.oldest, m.last + 1) FROM mentioned m WHERE s.tenant_id = $1 AND s.stream = m.stream RETURNING 1)
        SELECT count(*) FROM moved
        """;

    /// <summary>Cuts the streams that outlive a user behind the last event that names them: whoever comes from before it gets the state.</summary>
    public Task EraseMentions(Guid tenant, Guid user, CancellationToken cancel) => database.Worker.Run(EraseMentionsSql, cancel, Sql.Uuid(tenant), Sql.Text(user.ToString()));

    private const string TenantsSql = "SELECT tenant_id, event_retention_days FROM tenants ORDER BY tenant_id";

    public Task<List<(Guid Tenant, int RetentionDays)>> Tenants(CancellationToken cancel) =>
        database.Worker.Many(TenantsSql, static row => (row.GetGuid(0), row.GetInt32(1)), cancel);
}
