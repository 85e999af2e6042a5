namespace PersonaActors.Storage.Focus;

/// <summary>A session as its table has it. <see cref="State"/> is the grain's own.</summary>
public sealed record FocusSessionRow(
    Guid Id, Guid Person, Guid? Task, string Mode, string Status, DateTimeOffset Start, DateTimeOffset? End, int? Estimated, int? ActualMinutes,
    double? Score, JsonText? Quality, JsonText StartState, JsonText State, string? EndReason, JsonText? Summary,
    DateTimeOffset? NextTickAt, DateTimeOffset? PhaseEndsAt, long Version, long Seq);

/// <summary>One thing that happened in a session.</summary>
public sealed record FocusEventRow(
    Guid Id, DateTimeOffset At, string Type, int? Tick, JsonText Content, JsonText? Rhythm = null, JsonText? Task = null, JsonText? Emotion = null, string? Answer = null);

/// <summary>Whom to wake.</summary>
public readonly record struct DueSession(Guid Tenant, Guid Person, Guid Id, DateTimeOffset WakeAt);

public sealed class FocusStore(Database database)
{
    public const string LiveKey = "focus_sessions_live";
    public const string TickKey = "focus_events_tenant_id_session_id_tick_key";

    private const string Columns = """
        f.id, f.person_id, f.task_id, f.mode, f.status, f.start_time, f.end_time, f.estimated_duration, f.actual_duration, f.completion_score,
        f.session_quality, f.start_state, f.state, f.end_reason, f.summary, f.next_tick_at, f.phase_ends_at, f.version
        """;

    private const string LoadSql = $"""
        SELECT {Columns}, (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $4)
        FROM focus_sessions f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.id = $3
        """;

    public Task<FocusSessionRow?> Load(Guid tenant, Guid person, Guid id, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfUser(tenant, person), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id), Sql.Text(epoch.Stream)], row => Map(row, row.ValueOrNull<long>(18) ?? 0));

    private const string FindSql = $"SELECT {Columns} FROM focus_sessions f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.id = $3";

    /// <summary>The session as it is committed, which its grain may not have heard yet.</summary>
    public Task<FocusSessionRow?> Find(Guid tenant, Guid person, Guid id, CancellationToken cancel) => database.ReadOne(
        RowScope.OfUser(tenant, person), FindSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id)], row => Map(row, 0), cancel);

    private const string OwnerSql = "SELECT person_id FROM focus_sessions WHERE tenant_id = $1 AND id = $2";

    /// <summary>Whose session it is; asked before the session's grain can be named.</summary>
    public Task<Guid?> FindOwner(Guid tenant, Guid id, CancellationToken cancel) =>
        database.ReadValue(RowScope.OfTenant(tenant), OwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => row.GetGuid(0), cancel);

    private const string ListSql = $"""
        SELECT {Columns} FROM focus_sessions f
        WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.id > $3 AND ($4::text IS NULL OR f.status = $4::text) ORDER BY f.id LIMIT $5
        """;

    public Task<List<FocusSessionRow>> List(Guid tenant, Guid person, string? status, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, person), ListSql,
        [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(after), Sql.Text(status), Sql.Int(limit)], row => Map(row, 0), cancel);

    private const string LiveSql = "SELECT id FROM focus_sessions WHERE tenant_id = $1 AND person_id = $2 AND status <> 'ended'";

    /// <summary>The person's live session, or none.</summary>
    public async Task<Guid?> LiveId(Guid tenant, Guid person) =>
        await database.ReadMany(RowScope.OfUser(tenant, person), LiveSql, [Sql.Uuid(tenant), Sql.Uuid(person)], row => row.GetGuid(0)) is [var id, ..] ? id : null;

    private const string LiveOfInactiveSql = """
        SELECT f.id FROM focus_sessions f JOIN users u ON u.tenant_id = f.tenant_id AND u.id = f.person_id
        WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.status <> 'ended' AND NOT u.is_active
        """;

    /// <summary>The same, of somebody who is no longer active.</summary>
    public Task<Guid?> LiveIdOfInactive(Guid tenant, Guid person, CancellationToken cancel) => database.ReadValue(
        RowScope.OfUser(tenant, person), LiveOfInactiveSql, [Sql.Uuid(tenant), Sql.Uuid(person)], row => row.GetGuid(0), cancel);

    private const string EndedSinceSql = $"""
        SELECT {Columns} FROM focus_sessions f
        WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.status = 'ended' AND f.start_time >= $3 ORDER BY f.start_time
        """;

    public Task<List<FocusSessionRow>> EndedSince(Guid tenant, Guid person, DateTimeOffset since) => database.ReadMany(
        RowScope.OfUser(tenant, person), EndedSinceSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(since)], row => Map(row, 0));

    private const string AnswersSql = """
        SELECT answer, count(*) FROM (
          SELECT answer FROM focus_events WHERE tenant_id = $1 AND person_id = $2 AND answer IS NOT NULL AND ts >= $3
          UNION ALL
          SELECT answer FROM companion_nudges WHERE tenant_id = $1 AND person_id = $2 AND answer IS NOT NULL AND at >= $3) answered
        GROUP BY answer
        """;

    /// <summary>How nudges were answered, in sessions and outside.</summary>
    public Task<List<(string Answer, long Count)>> Answers(Guid tenant, Guid person, DateTimeOffset since) => database.ReadMany(
        RowScope.OfUser(tenant, person), AnswersSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(since)], row => (row.GetString(0), row.GetInt64(1)));

    private const string EventColumns = "e.id, e.ts, e.event_type, e.tick, e.content, e.rhythm_state, e.task_state, e.emotion_state, e.answer";

    private const string EventsSql = $"""
        SELECT {EventColumns} FROM focus_events e
        WHERE e.tenant_id = $1 AND e.person_id = $2 AND e.session_id = $3 AND e.ts >= $4 ORDER BY e.ts, e.id
        """;

    /// <summary>The session's events from a moment on, oldest first.</summary>
    public Task<List<FocusEventRow>> Events(Guid tenant, Guid person, Guid session, DateTimeOffset from) => database.ReadMany(
        RowScope.OfUser(tenant, person), EventsSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(session), Sql.Time(from)], MapEvent);

    private const string EventPageSql = $"""
        SELECT {EventColumns} FROM focus_events e
        WHERE e.tenant_id = $1 AND e.person_id = $2 AND e.session_id = $3 AND e.id > $4 ORDER BY e.id LIMIT $5
        """;

    public Task<List<FocusEventRow>> EventPage(Guid tenant, Guid person, Guid session, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, person), EventPageSql,
        [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(session), Sql.Uuid(after), Sql.Int(limit)], MapEvent, cancel);

    private const string InsertSql = """
        INSERT INTO focus_sessions (tenant_id, id, person_id, task_id, mode, status, start_time, estimated_duration, start_state, state, next_tick_at, phase_ends_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, FocusSessionRow row) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(row.Id), Sql.Uuid(row.Person), Sql.Uuid(row.Task), Sql.Text(row.Mode), Sql.Text(row.Status), Sql.Time(row.Start),
        Sql.Int(row.Estimated), Sql.Json(row.StartState.Json), Sql.Json(row.State.Json), Sql.Time(row.NextTickAt), Sql.Time(row.PhaseEndsAt));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE focus_sessions SET status = $3, end_time = $4, estimated_duration = $5, actual_duration = $6, completion_score = $7, session_quality = $8,
            state = $9, end_reason = $10, summary = $11, next_tick_at = $12, phase_ends_at = $13, version = $14
          WHERE tenant_id = $1 AND id = $2 AND version = $14 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'focus session') FROM changed
        """;

    /// <summary>Writes the session as it is to be; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, FocusSessionRow row) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(row.Id), Sql.Text(row.Status), Sql.Time(row.End), Sql.Int(row.Estimated), Sql.Int(row.ActualMinutes),
        Sql.Double(row.Score), Sql.Json(row.Quality?.Json), Sql.Json(row.State.Json), Sql.Text(row.EndReason), Sql.Json(row.Summary?.Json),
        Sql.Time(row.NextTickAt), Sql.Time(row.PhaseEndsAt), Sql.Bigint(row.Version));

    private const string InsertEventSql = """
        INSERT INTO focus_events (tenant_id, id, session_id, person_id, ts, event_type, tick, content, rhythm_state, task_state, emotion_state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """;

    public static void InsertEvent(ScopedBatch batch, Guid tenant, Guid session, Guid person, FocusEventRow e) => batch.Add(InsertEventSql,
        Sql.Uuid(tenant), Sql.Uuid(e.Id), Sql.Uuid(session), Sql.Uuid(person), Sql.Time(e.At), Sql.Text(e.Type), Sql.Int(e.Tick), Sql.Json(e.Content.Json),
        Sql.Json(e.Rhythm?.Json), Sql.Json(e.Task?.Json), Sql.Json(e.Emotion?.Json));

    private const string AnswerSql = """
        WITH changed AS (
          UPDATE focus_events SET answer = $4, answered_at = $5 WHERE tenant_id = $1 AND session_id = $2 AND id = $3 RETURNING 1)
        SELECT must_hit(count(*), 'nudge') FROM changed
        """;

    public static void AnswerNudge(ScopedBatch batch, Guid tenant, Guid session, Guid nudge, string answer, DateTimeOffset at) => batch.AddGuarded(AnswerSql,
        Sql.Uuid(tenant), Sql.Uuid(session), Sql.Uuid(nudge), Sql.Text(answer), Sql.Time(at));

    private const string DueSql = """
        SELECT tenant_id, person_id, id, wake_at FROM focus_sessions
        WHERE status <> 'ended' AND wake_at <= $1 AND (uuid_hash(person_id)::bigint & 2147483647) % $3 = $4 ORDER BY wake_at LIMIT $2
        """;

    /// <summary>The sessions in which something is due, the most overdue first. Only looks: a session that is woken twice does nothing the second time.</summary>
    public Task<List<DueSession>> Due(DateTimeOffset now, Part part, int limit, CancellationToken cancel) => database.Worker.Many(
        DueSql, static row => new DueSession(row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.Time(3)), cancel, Sql.Time(now), Sql.Int(limit), Sql.Int(part.Of), Sql.Int(part.Index));

    private static FocusEventRow MapEvent(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.Time(1), row.GetString(2), row.ValueOrNull<int>(3), new JsonText(row.GetString(4)),
        row.JsonOrNull(5), row.JsonOrNull(6), row.JsonOrNull(7), row.TextOrNull(8));

    private static FocusSessionRow Map(NpgsqlDataReader row, long seq) => new(
        row.GetGuid(0), row.GetGuid(1), row.GuidOrNull(2), row.GetString(3), row.GetString(4), row.Time(5), row.TimeOrNull(6),
        row.ValueOrNull<int>(7), row.ValueOrNull<int>(8), row.ValueOrNull<double>(9), row.JsonOrNull(10), new JsonText(row.GetString(11)),
        new JsonText(row.GetString(12)), row.TextOrNull(13), row.JsonOrNull(14), row.TimeOrNull(15), row.TimeOrNull(16), row.GetInt64(17), seq);
}
