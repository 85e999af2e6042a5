using PersonaActors.Contracts.Jobs;

namespace PersonaActors.Storage.Jobs;

/// <param name="Input">None any more once the job has ended.</param>
public sealed record JobRow(JobView View, JsonText? Input, long Seq);

/// <summary>Whose a job is, asked before anybody is shown it.</summary>
public sealed record JobOwner(Guid? User, Guid? CreatedBy);

/// <summary>Which jobs somebody sees.</summary>
/// <param name="User">Only this one's.</param>
/// <param name="Key">The tenant's only if this key asked for them; none for an admin, who sees all.</param>
/// <param name="OfUsers">Those of the tenant's users.</param>
public readonly record struct JobSight(Guid? User, Guid? Key, bool OfUsers, bool All);

public sealed class JobStore(Database database)
{
    private const string Columns = """
        j.id, j.kind, j.user_id, j.created_by, j.status, j.phase, j.done, j.total, j.report, j.failure, j.stays, j.version, j.created_at, j.updated_at, j.ended_at
        """;

    private const string LoadSql = $"""
        SELECT {Columns}, j.input, coalesce((SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3), 0)
        FROM jobs j WHERE j.tenant_id = $1 AND j.id = $2
        """;

    public Task<JobRow?> Load(Guid tenant, Guid id, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfTenant(tenant), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(id), Sql.Text(epoch.Stream)],
        row => new JobRow(Map(row), row.JsonOrNull(15), row.GetInt64(16)));

    private const string OwnerSql = "SELECT user_id, created_by FROM jobs WHERE tenant_id = $1 AND id = $2";

    public Task<JobOwner?> FindOwner(Guid tenant, Guid id, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), OwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => new JobOwner(row.GuidOrNull(0), row.GuidOrNull(1)), cancel);

    private const string RunningSql = "SELECT count(*) FROM jobs WHERE tenant_id = $1 AND user_id IS NOT DISTINCT FROM $2 AND status = 'running'";

    /// <summary>How many run for a user, or for the tenant itself.</summary>
    public async Task<long> CountRunning(Guid tenant, Guid? user) => (await database.ReadValue(
        RowScope.OfTenant(tenant), RunningSql, [Sql.Uuid(tenant), Sql.Uuid(user)], row => row.GetInt64(0)))!.Value;

    private const string ListSql = $"""
        SELECT {Columns} FROM jobs j
        WHERE j.tenant_id = $1 AND ($2::uuid IS NULL OR j.user_id = $2)
          AND ($2::uuid IS NOT NULL OR $3 OR (j.user_id IS NOT NULL AND $4) OR (j.user_id IS NULL AND j.created_by = $5))
          AND ($6 OR j.id < $7)
        ORDER BY j.id DESC LIMIT $8
        """;

    /// <summary>The newest first.</summary>
    public Task<List<JobView>> List(Guid tenant, JobSight sight, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        sight.User is { } user ? RowScope.OfUser(tenant, user) : RowScope.OfTenant(tenant), ListSql,
        [
            Sql.Uuid(tenant), Sql.Uuid(sight.User), Sql.Bool(sight.All), Sql.Bool(sight.OfUsers), Sql.Uuid(sight.Key),
            Sql.Bool(after == Guid.Empty), Sql.Uuid(after), Sql.Int(limit),
        ],
        Map, cancel);

    private const string InsertSql = """
        INSERT INTO jobs (tenant_id, id, kind, user_id, created_by, status, input, phase, done, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, 0, $8, $9, $9)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, JobView job, JsonText input) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(job.Id), Sql.Text(job.Kind), Sql.Uuid(job.UserId), Sql.Uuid(job.CreatedBy), Sql.Json(input.Json), Sql.Text(job.Phase),
        Sql.Bigint(job.Version), Sql.Time(job.CreatedAt));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE jobs SET status = $3, phase = $4, done = $5, total = $6, report = $7, failure = $8, stays = $9, version = $10, updated_at = $11, ended_at = $12,
            input = CASE WHEN $12::timestamptz IS NULL THEN input END
          WHERE tenant_id = $1 AND id = $2 AND version = $10 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'job') FROM changed
        """;

    /// <summary>Writes the job as it is to be; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, JobView job) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(job.Id), Sql.Text(Word(job.Status)), Sql.Text(job.Phase), Sql.Bigint(job.Done), Sql.Bigint(job.Total), Sql.Json(job.Report?.Json),
        Sql.Json(job.Failure is null ? null : JsonText.From(job.Failure).Json), Sql.Text(job.Stays), Sql.Bigint(job.Version), Sql.Time(job.UpdatedAt), Sql.Time(job.EndedAt));

    private const string UnfinishedSql = """
        SELECT tenant_id, id FROM jobs WHERE status = 'running' AND (uuid_hash(id)::bigint & 2147483647) % $1 = $2 ORDER BY updated_at LIMIT $3
        """;

    /// <summary>Jobs of a part that run, or should: who does them may have died.</summary>
    public Task<List<TenantScopedKey>> Unfinished(Part part, int limit, CancellationToken cancel) => database.Worker.Many(
        UnfinishedSql, static row => new TenantScopedKey(row.GetGuid(0), row.GetGuid(1)), cancel, Sql.Int(part.Of), Sql.Int(part.Index), Sql.Int(limit));

    private const string ForgetSql = """
        WITH gone AS (
          DELETE FROM jobs j USING (SELECT tenant_id, id FROM jobs WHERE ended_at < $1 ORDER BY ended_at LIMIT $2) old
          WHERE j.tenant_id = old.tenant_id AND j.id = old.id RETURNING j.tenant_id, 'job:' || j.id AS stream),
        told AS (DELETE FROM events e USING gone g WHERE e.tenant_id = g.tenant_id AND e.stream = g.stream),
        streams AS (DELETE FROM streams s USING gone g WHERE s.tenant_id = g.tenant_id AND s.stream = g.stream)
        SELECT count(*) FROM gone
        """;

    /// <summary>Takes away jobs that ended before that time, with what was told of them.</summary>
    public Task<long> Forget(DateTimeOffset before, int batch, CancellationToken cancel) => database.Worker.Count(ForgetSql, cancel, Sql.Time(before), Sql.Int(batch));

    private static string Word(JobStatus status) => status.ToString().ToLowerInvariant();

    private static JobView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GuidOrNull(2), row.GuidOrNull(3), Enum.Parse<JobStatus>(row.GetString(4), ignoreCase: true), row.GetString(5), row.GetInt64(6),
        row.ValueOrNull<long>(7), row.JsonOrNull(8), row.JsonOrNull(9)?.Read<JobFailure>(), row.TextOrNull(10), row.GetInt64(11), row.Time(12), row.Time(13), row.TimeOrNull(14));
}
