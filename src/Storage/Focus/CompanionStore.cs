using PersonaActors.Contracts.Focus;

namespace PersonaActors.Storage.Focus;

/// <summary>What is kept of a person's habit and mood. Version 0 means that nothing was ever written.</summary>
/// <param name="PreventiveAt">When a nudge outside sessions may be due.</param>
public sealed record PersonalModel(
    string Emotion, Habit Habit, DateTimeOffset? EmotionUntil, long Version, bool PreventiveNudges = false, DateTimeOffset? PreventiveAt = null)
{
    public static readonly PersonalModel None = new("neutral", Habit.None, null, 0);
}

/// <summary>A person as the companion grain holds it.</summary>
public sealed record CompanionRow(RhythmLevels Rhythm, DailyCurve? Curve, PersonalModel Model, string TimeZone, long Seq);

/// <summary>A nudge that was said outside sessions. What it says is the grain's own.</summary>
public sealed record CompanionNudgeRow(Guid Id, DateTimeOffset At, string Type, int Rule, JsonText Content, string? Answer, DateTimeOffset? AnsweredAt);

/// <summary>The latest sentiment that still holds, and until when it does.</summary>
public sealed record HeldSentiment(double Sentiment, DateTimeOffset? Until);

/// <summary>Whose mood may change by itself, because what it rests on ran out, or to whom something may be due to be said.</summary>
public readonly record struct DuePerson(TenantScopedKey Key);

public sealed class CompanionStore(Database database)
{
    private const string LevelColumns =
        "r.body_energy, r.mind_focus, r.emotion_tone, r.fatigue_level, r.stress_level, r.next_peak, r.next_lull, r.updated_at";

    private const string LoadSql = $"""
        SELECT {LevelColumns}, c.energy, c.confidence, c.updated_at,
          p.emotion, p.habit_streak, p.habit_strength, p.habit_last_day, p.emotion_until, p.version,
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3),
          p.preventive_nudges, p.preventive_at, u.time_zone
        FROM users u
        LEFT JOIN rhythm_state r ON r.tenant_id = u.tenant_id AND r.person_id = u.id
        LEFT JOIN rhythm_daily_curve c ON c.tenant_id = u.tenant_id AND c.person_id = u.id
        LEFT JOIN personal_model p ON p.tenant_id = u.tenant_id AND p.person_id = u.id
        WHERE u.tenant_id = $1 AND u.id = $2
        """;

    /// <returns>Null when there is no such person.</returns>
    public Task<CompanionRow?> Load(Guid tenant, Guid person, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfUser(tenant, person), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(epoch.Stream)],
        row => new CompanionRow(
            MapLevels(row, 0), MapCurve(row, 8),
            row.IsDBNull(16)
                ? PersonalModel.None
                : new PersonalModel(
                    row.GetString(11), new Habit(row.GetInt32(12), row.GetDouble(13), row.ValueOrNull<DateOnly>(14)), row.TimeOrNull(15), row.GetInt64(16),
                    row.GetBoolean(18), row.TimeOrNull(19)),
            row.GetString(20), row.ValueOrNull<long>(17) ?? 0));

    private static RhythmLevels MapLevels(NpgsqlDataReader row, int first) => row.IsDBNull(first + 7)
        ? RhythmLevels.Unknown
        : new RhythmLevels(
            row.ValueOrNull<double>(first), row.ValueOrNull<double>(first + 1), row.TextOrNull(first + 2), row.ValueOrNull<double>(first + 3),
            row.ValueOrNull<double>(first + 4), row.TimeOrNull(first + 5), row.TimeOrNull(first + 6), row.Time(first + 7));

    private static DailyCurve? MapCurve(NpgsqlDataReader row, int first) => row.IsDBNull(first)
        ? null
        : new DailyCurve(row.GetFieldValue<double[]>(first), row.GetDouble(first + 1), row.Time(first + 2));

    private static PlannedTask MapTask(NpgsqlDataReader row, int first) => new(
        row.GetGuid(first), row.GetString(first + 1), row.ValueOrNull<double>(first + 2), row.ValueOrNull<int>(first + 3),
        Enum.Parse<PlannedStatus>(row.GetString(first + 4), ignoreCase: true), row.ValueOrNull<int>(first + 5), row.Time(first + 6), row.Time(first + 7),
        row.GetInt64(first + 8));

    private const string SurroundingsSql = """
        SELECT u.time_zone,
          r.body_energy, r.mind_focus, r.emotion_tone, r.fatigue_level, r.stress_level, r.next_peak, r.next_lull, r.updated_at,
          c.energy, c.confidence, c.updated_at,
          p.emotion, p.habit_strength,
          (SELECT m.emotion_tags FROM memory_short_term m
           WHERE m.tenant_id = $1 AND m.person_id = $2 AND (m.expires_at IS NULL OR m.expires_at > $4) ORDER BY m.created_at DESC LIMIT 1),
          t.id, t.title, t.energy, t.ease, t.status, t.estimate_minutes, t.created_at, t.updated_at, t.version
        FROM users u
        LEFT JOIN rhythm_state r ON r.tenant_id = u.tenant_id AND r.person_id = u.id
        LEFT JOIN rhythm_daily_curve c ON c.tenant_id = u.tenant_id AND c.person_id = u.id
        LEFT JOIN personal_model p ON p.tenant_id = u.tenant_id AND p.person_id = u.id
        LEFT JOIN planned_items t ON t.tenant_id = u.tenant_id AND t.person_id = u.id AND t.id = $3
        WHERE u.tenant_id = $1 AND u.id = $2
        """;

    /// <returns>Null when there is no such person.</returns>
    public Task<Surroundings?> Surroundings(Guid tenant, Guid person, Guid? task, DateTimeOffset now) => database.ReadOne(
        RowScope.OfUser(tenant, person), SurroundingsSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(task), Sql.Time(now)],
        row => new Surroundings(
            row.GetString(0), MapLevels(row, 1), MapCurve(row, 9), row.TextOrNull(12), row.ValueOrNull<double>(13),
            row.IsDBNull(14) ? Items<string>.Empty : row.GetFieldValue<string[]>(14), row.IsDBNull(15) ? null : MapTask(row, 15)));

    private const string SaveModelSql = """
        WITH changed AS (
          INSERT INTO personal_model (tenant_id, person_id, emotion, habit_streak, habit_strength, habit_last_day, emotion_until, version, preventive_nudges, preventive_at)
          SELECT $1::uuid, $2::uuid, $3::text, $4::int, $5::double precision, $6::date, $7::timestamptz, $8::bigint, $9::boolean, $10::timestamptz WHERE $8::bigint = 1
          ON CONFLICT DO NOTHING RETURNING 1),
        moved AS (
          UPDATE personal_model SET emotion = $3, habit_streak = $4, habit_strength = $5, habit_last_day = $6, emotion_until = $7, version = $8,
            preventive_nudges = $9, preventive_at = $10
          WHERE tenant_id = $1 AND person_id = $2 AND version = $8::bigint - 1 AND $8::bigint > 1 RETURNING 1)
        SELECT must_hit((SELECT count(*) FROM changed) + (SELECT count(*) FROM moved), 'companion')
        """;

    /// <summary>Every command of the companion goes through this row: its version says which one it replaces.</summary>
    public static void SaveModel(ScopedBatch batch, Guid tenant, Guid person, PersonalModel model) => batch.AddGuarded(SaveModelSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(model.Emotion), Sql.Int(model.Habit.Streak), Sql.Double(model.Habit.Strength),
        Sql.Date(model.Habit.LastDay), Sql.Time(model.EmotionUntil), Sql.Bigint(model.Version),
        Sql.Bool(model.PreventiveNudges), Sql.Time(model.PreventiveAt));

    private const string PlanNudgeSql = """
        WITH changed AS (
          UPDATE personal_model SET preventive_at = $4 WHERE tenant_id = $1 AND person_id = $2 AND version = $3 RETURNING 1)
        SELECT must_hit(count(*), 'companion') FROM changed
        """;

    /// <summary>When to look next. Nobody is shown it, so the version stays.</summary>
    public static void PlanNudge(ScopedBatch batch, Guid tenant, Guid person, PersonalModel model) => batch.AddGuarded(PlanNudgeSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Bigint(model.Version), Sql.Time(model.PreventiveAt));

    private const string InsertNudgeSql = """
        INSERT INTO companion_nudges (tenant_id, id, person_id, at, type, rule, content) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    public static void InsertNudge(ScopedBatch batch, Guid tenant, Guid person, CompanionNudgeRow nudge) => batch.Add(InsertNudgeSql,
        Sql.Uuid(tenant), Sql.Uuid(nudge.Id), Sql.Uuid(person), Sql.Time(nudge.At), Sql.Text(nudge.Type), Sql.Int(nudge.Rule), Sql.Json(nudge.Content.Json));

    private const string AnswerNudgeSql = """
        WITH changed AS (
          UPDATE companion_nudges SET answer = $4, answered_at = $5 WHERE tenant_id = $1 AND person_id = $2 AND id = $3 RETURNING 1)
        SELECT must_hit(count(*), 'nudge') FROM changed
        """;

    public static void AnswerNudge(ScopedBatch batch, Guid tenant, Guid person, Guid nudge, string answer, DateTimeOffset at) => batch.AddGuarded(AnswerNudgeSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(nudge), Sql.Text(answer), Sql.Time(at));

    private const string NudgeSql =
        "SELECT id, at, type, rule, content, answer, answered_at FROM companion_nudges WHERE tenant_id = $1 AND person_id = $2 AND id = $3";

    public Task<CompanionNudgeRow?> Nudge(Guid tenant, Guid person, Guid id) => database.ReadOne(
        RowScope.OfUser(tenant, person), NudgeSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id)], MapNudge);

    private const string NudgesSql = """
        SELECT id, at, type, rule, content, answer, answered_at FROM companion_nudges
        WHERE tenant_id = $1 AND person_id = $2 ORDER BY at DESC LIMIT $3
        """;

    /// <summary>The newest first.</summary>
    public Task<List<CompanionNudgeRow>> Nudges(Guid tenant, Guid person, int limit) => database.ReadMany(
        RowScope.OfUser(tenant, person), NudgesSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Int(limit)], MapNudge);

    private static CompanionNudgeRow MapNudge(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.Time(1), row.GetString(2), row.GetInt32(3), new JsonText(row.GetString(4)), row.TextOrNull(5), row.TimeOrNull(6));

    private const string SaveRhythmSql = """
        INSERT INTO rhythm_state (tenant_id, person_id, body_energy, mind_focus, emotion_tone, fatigue_level, stress_level, next_peak, next_lull, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (tenant_id, person_id) DO UPDATE SET body_energy = $3, mind_focus = $4, emotion_tone = $5, fatigue_level = $6,
          stress_level = $7, next_peak = $8, next_lull = $9, updated_at = $10
        """;

    public static void SaveRhythm(ScopedBatch batch, Guid tenant, Guid person, RhythmLevels levels) => batch.Add(SaveRhythmSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Double(levels.BodyEnergy), Sql.Double(levels.MindFocus), Sql.Text(levels.EmotionTone),
        Sql.Double(levels.FatigueLevel), Sql.Double(levels.StressLevel), Sql.Time(levels.NextPeak), Sql.Time(levels.NextLull), Sql.Time(levels.UpdatedAt));

    private const string SaveCurveSql = """
        INSERT INTO rhythm_daily_curve (tenant_id, person_id, energy, confidence, updated_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, person_id) DO UPDATE SET energy = $3, confidence = $4, updated_at = $5
        """;

    public static void SaveCurve(ScopedBatch batch, Guid tenant, Guid person, DailyCurve curve) => batch.Add(SaveCurveSql,
        Sql.Uuid(tenant), Sql.Uuid(person),
        new NpgsqlParameter<double[]> { TypedValue = [.. curve.Energy], NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Double },
        Sql.Double(curve.Confidence), Sql.Time(curve.UpdatedAt));

    private const string TaskColumns = "t.id, t.title, t.energy, t.ease, t.status, t.estimate_minutes, t.created_at, t.updated_at, t.version";

    private const string TaskSql = $"SELECT {TaskColumns} FROM planned_items t WHERE t.tenant_id = $1 AND t.person_id = $2 AND t.id = $3";

    public Task<PlannedTask?> Task(Guid tenant, Guid person, Guid id) => database.ReadOne(
        RowScope.OfUser(tenant, person), TaskSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id)], row => MapTask(row, 0));

    private const string TasksSql =
        $"SELECT {TaskColumns} FROM planned_items t WHERE t.tenant_id = $1 AND t.person_id = $2 AND t.id > $3 ORDER BY t.id LIMIT $4";

    public Task<List<PlannedTask>> Tasks(Guid tenant, Guid person, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, person), TasksSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(after), Sql.Int(limit)], row => MapTask(row, 0), cancel);

    private const string SaveTaskSql = """
        WITH changed AS (
          INSERT INTO planned_items (tenant_id, id, person_id, title, energy, ease, status, estimate_minutes, created_at, updated_at, version)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
          ON CONFLICT (tenant_id, id) DO UPDATE SET title = $4, energy = $5, ease = $6, status = $7, estimate_minutes = $8, updated_at = $10, version = $11
          WHERE planned_items.version = $11 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'task') FROM changed
        """;

    public static void SaveTask(ScopedBatch batch, Guid tenant, Guid person, PlannedTask task) => batch.AddGuarded(SaveTaskSql,
        Sql.Uuid(tenant), Sql.Uuid(task.Id), Sql.Uuid(person), Sql.Text(task.Title), Sql.Double(task.Energy), Sql.Int(task.Ease),
        Sql.Text(task.Status.ToString().ToLowerInvariant()), Sql.Int(task.EstimateMinutes), Sql.Time(task.CreatedAt), Sql.Time(task.UpdatedAt),
        Sql.Bigint(task.Version));

    private const string BusySql = "SELECT id::text FROM focus_sessions WHERE tenant_id = $1 AND person_id = $2 AND task_id = $3 AND status <> 'ended'";

    /// <summary>Whether the person's live session is about the task.</summary>
    public async Task<bool> IsBusy(Guid tenant, Guid person, Guid task) => await database.ReadOne(
        RowScope.OfUser(tenant, person), BusySql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(task)], row => row.GetString(0)) is not null;

    private const string DeleteTaskSql = """
        WITH changed AS (
          DELETE FROM planned_items t WHERE t.tenant_id = $1 AND t.person_id = $2 AND t.id = $3 AND t.version = $4
            AND NOT EXISTS (SELECT FROM focus_sessions f WHERE f.tenant_id = $1 AND f.person_id = $2 AND f.task_id = $3 AND f.status <> 'ended')
          RETURNING 1)
        SELECT must_hit(count(*), 'task') FROM changed
        """;

    public static void DeleteTask(ScopedBatch batch, Guid tenant, Guid person, PlannedTask task) =>
        batch.AddGuarded(DeleteTaskSql, Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(task.Id), Sql.Bigint(task.Version));

    private const string MemoryColumns = "id, type, content, sentiment, emotion_tags, session_id, created_at, expires_at";

    private const string MemorySql = $"SELECT {MemoryColumns} FROM memory_short_term WHERE tenant_id = $1 AND person_id = $2 AND id = $3";

    public Task<MemoryView?> Memory(Guid tenant, Guid person, Guid id) => database.ReadOne(
        RowScope.OfUser(tenant, person), MemorySql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id)], MapMemory);

    private static MemoryView MapMemory(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), new JsonText(row.GetString(2)), row.ValueOrNull<double>(3), row.GetFieldValue<string[]>(4),
        row.GuidOrNull(5), row.Time(6), row.TimeOrNull(7));

    private const string DeleteMemorySql = """
        WITH changed AS (DELETE FROM memory_short_term WHERE tenant_id = $1 AND person_id = $2 AND id = $3 RETURNING 1)
        SELECT must_hit(count(*), 'memory') FROM changed
        """;

    public static void DeleteMemory(ScopedBatch batch, Guid tenant, Guid person, Guid id) =>
        batch.AddGuarded(DeleteMemorySql, Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id));

    private const string MemoriesSql = $"""
        SELECT {MemoryColumns} FROM memory_short_term
        WHERE tenant_id = $1 AND person_id = $2 AND id > $3 AND (expires_at IS NULL OR expires_at > $4) ORDER BY id LIMIT $5
        """;

    /// <summary>What hasn't expired, oldest first.</summary>
    public Task<List<MemoryView>> Memories(Guid tenant, Guid person, DateTimeOffset now, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, person), MemoriesSql,
        [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(after), Sql.Time(now), Sql.Int(limit)], MapMemory, cancel);

    private const string InsertMemorySql = """
        INSERT INTO memory_short_term (tenant_id, id, person_id, type, content, sentiment, emotion_tags, session_id, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """;

    public static void InsertMemory(ScopedBatch batch, Guid tenant, Guid person, MemoryView memory) => batch.Add(InsertMemorySql,
        Sql.Uuid(tenant), Sql.Uuid(memory.Id), Sql.Uuid(person), Sql.Text(memory.Type), Sql.Json(memory.Content.Json), Sql.Double(memory.Sentiment),
        Sql.Texts([.. memory.EmotionTags]), Sql.Uuid(memory.SessionId), Sql.Time(memory.CreatedAt), Sql.Time(memory.ExpiresAt));

    private const string SummedUpSql = "SELECT id::text FROM memory_short_term WHERE tenant_id = $1 AND person_id = $2 AND session_id = $3 AND type = $4";

    /// <summary>Whether the session's summary is among the memories.</summary>
    public async Task<bool> IsSummedUp(Guid tenant, Guid person, Guid session, string type) => await database.ReadOne(
        RowScope.OfUser(tenant, person), SummedUpSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(session), Sql.Text(type)], row => row.GetString(0)) is not null;

    private const string SentimentSql = """
        SELECT sentiment, expires_at FROM memory_short_term
        WHERE tenant_id = $1 AND person_id = $2 AND sentiment IS NOT NULL AND (expires_at IS NULL OR expires_at > $3)
          AND ($4::uuid IS NULL OR id <> $4)
        ORDER BY created_at DESC, id DESC LIMIT 1
        """;

    public Task<HeldSentiment?> Sentiment(Guid tenant, Guid person, DateTimeOffset now, Guid? without = null) => database.ReadOne(
        RowScope.OfUser(tenant, person), SentimentSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(now), Sql.Uuid(without)],
        row => new HeldSentiment(row.GetDouble(0), row.TimeOrNull(1)));

    private const string EmotionsDueSql = """
        SELECT tenant_id, person_id FROM personal_model WHERE emotion_until <= $1 AND (uuid_hash(person_id)::bigint & 2147483647) % $3 = $4 ORDER BY emotion_until LIMIT $2
        """;

    public Task<List<DuePerson>> EmotionsDue(DateTimeOffset now, Part part, int limit, CancellationToken cancel) =>
        Due(EmotionsDueSql, now, part, limit, cancel);

    private const string NudgesDueSql = """
        SELECT tenant_id, person_id FROM personal_model WHERE preventive_at <= $1 AND (uuid_hash(person_id)::bigint & 2147483647) % $3 = $4 ORDER BY preventive_at LIMIT $2
        """;

    public Task<List<DuePerson>> NudgesDue(DateTimeOffset now, Part part, int limit, CancellationToken cancel) =>
        Due(NudgesDueSql, now, part, limit, cancel);

    private Task<List<DuePerson>> Due(string sql, DateTimeOffset now, Part part, int limit, CancellationToken cancel) => database.Worker.Many(
        sql, static row => new DuePerson(new TenantScopedKey(row.GetGuid(0), row.GetGuid(1))), cancel, Sql.Time(now), Sql.Int(limit), Sql.Int(part.Of), Sql.Int(part.Index));

    private const string ForgetSql = """
        WITH gone AS (
          DELETE FROM memory_short_term m USING (
            SELECT tenant_id, id FROM memory_short_term WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) old
          WHERE m.tenant_id = old.tenant_id AND m.id = old.id RETURNING 1)
        SELECT count(*) FROM gone
        """;

    /// <summary>Removes memories that expired long enough ago that nothing asks for them again.</summary>
    public Task<long> Forget(DateTimeOffset before, int limit, CancellationToken cancel) => database.Worker.Count(ForgetSql, cancel, Sql.Time(before), Sql.Int(limit));
}
