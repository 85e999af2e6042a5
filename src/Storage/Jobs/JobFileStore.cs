namespace PersonaActors.Storage.Jobs;

/// <param name="ExpiresAt">None of what a job was given.</param>
public sealed record JobFile(byte[] Content, DateTimeOffset? ExpiresAt);

/// <summary>What jobs are given as a file, and what they make.</summary>
public sealed class JobFileStore(Database database)
{
    public const string Input = "input";
    public const string Archive = "archive";

    private const string PutSql = """
        INSERT INTO job_files (tenant_id, job_id, name, content, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, job_id, name) DO UPDATE SET content = $4, expires_at = $5
        """;

    public static void Put(ScopedBatch batch, Guid tenant, Guid job, string name, byte[] content, DateTimeOffset? expiresAt) => batch.Add(PutSql,
        Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(name), Sql.Bytes(content), Sql.Time(expiresAt));

    /// <summary>Put twice, it is there once.</summary>
    public Task Put(RowScope scope, Guid job, string name, byte[] content, DateTimeOffset? expiresAt, CancellationToken cancel) => database.ReadMany(
        scope, PutSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(job), Sql.Text(name), Sql.Bytes(content), Sql.Time(expiresAt)], static row => row.FieldCount, cancel);

    private const string FindSql = "SELECT content, expires_at FROM job_files WHERE tenant_id = $1 AND job_id = $2 AND name = $3";

    public Task<JobFile?> Find(Guid tenant, Guid job, string name, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), FindSql, [Sql.Uuid(tenant), Sql.Uuid(job), Sql.Text(name)], row => new JobFile(row.GetFieldValue<byte[]>(0), row.TimeOrNull(1)), cancel);

    private const string DropInputSql = "DELETE FROM job_files WHERE tenant_id = $1 AND job_id = $2 AND name = 'input'";

    /// <summary>The job has ended.</summary>
    public static void DropInput(ScopedBatch batch, Guid tenant, Guid job) => batch.Add(DropInputSql, Sql.Uuid(tenant), Sql.Uuid(job));

    private const string ForgetSql = """
        WITH gone AS (
          DELETE FROM job_files f USING (SELECT tenant_id, job_id, name FROM job_files WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) old
          WHERE f.tenant_id = old.tenant_id AND f.job_id = old.job_id AND f.name = old.name RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public Task<long> Forget(DateTimeOffset now, int batch, CancellationToken cancel) => database.Worker.Count(ForgetSql, cancel, Sql.Time(now), Sql.Int(batch));
}
