using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <summary>A mindscape as its grain holds it. Row version 0 means that nothing was ever written.</summary>
/// <param name="Traits">In the founding document's form.</param>
public sealed record MindscapeRow(
    JsonText Traits, long Version, long LastNumber, long AppliedNumber, bool IsPaused, long RowVersion, DateTimeOffset UpdatedAt, long Seq);

/// <summary>One thing that was recorded of a person, in their own numbering.</summary>
/// <param name="Kind">observation, traits, feedback, narrative, curation or forgotten.</param>
/// <param name="IsEcho">The same was said before by somebody more to be trusted.</param>
public sealed record MindscapeEntry(
    Guid Id, long Number, string Kind, string Type, JsonText Content, JsonText Metadata, string? Source, string? ClientId,
    bool IsEcho, DateTimeOffset? ObservedAt, DateTimeOffset CreatedAt)
{
    public DateTimeOffset SeenAt => ObservedAt ?? CreatedAt;
}

/// <summary>A version of a mindscape: what made it, and what changed.</summary>
public sealed record MindscapeVersion(long Version, JsonText Cause, JsonText Changes, DateTimeOffset ObservedAt, DateTimeOffset At);

/// <summary>What was said before in the same words, and by whom.</summary>
public sealed record SaidBefore(byte[] ContentHash, string? Source);

/// <summary>Mindscapes, what they are made of, and their history.</summary>
public sealed class MindscapeStore(Database database)
{
    private const string LoadSql = """
        SELECT m.traits, m.version, m.last_number, m.applied_number, m.is_paused, m.row_version, coalesce(m.updated_at, u.created_at),
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $3)
        FROM users u LEFT JOIN mindscapes m ON m.tenant_id = u.tenant_id AND m.person_id = u.id
        WHERE u.tenant_id = $1 AND u.id = $2
        """;

    /// <returns>Null when there is no such person.</returns>
    public Task<MindscapeRow?> Load(Guid tenant, Guid person, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfUser(tenant, person), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(epoch.Stream)],
        row => row.IsDBNull(0)
            ? new MindscapeRow(JsonText.EmptyObject, 0, 0, 0, false, 0, row.Time(6), row.ValueOrNull<long>(7) ?? 0)
            : new MindscapeRow(
                new JsonText(row.GetString(0)), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetBoolean(4), row.GetInt64(5), row.Time(6),
                row.ValueOrNull<long>(7) ?? 0));

    private const string SaveSql = """
        WITH made AS (
          INSERT INTO mindscapes (tenant_id, person_id, traits, version, last_number, applied_number, is_paused, row_version, updated_at)
          SELECT $1::uuid, $2::uuid, $3::json, $4::bigint, $5::bigint, $6::bigint, $7::boolean, $8::bigint, $9::timestamptz WHERE $8::bigint = 1
          ON CONFLICT DO NOTHING RETURNING 1),
        moved AS (
          UPDATE mindscapes SET traits = $3, version = $4, last_number = $5, applied_number = $6, is_paused = $7, row_version = $8, updated_at = $9
          WHERE tenant_id = $1 AND person_id = $2 AND row_version = $8::bigint - 1 AND $8::bigint > 1 RETURNING 1)
        SELECT must_hit((SELECT count(*) FROM made) + (SELECT count(*) FROM moved), 'mindscape')
        """;

    /// <summary>Every command of a mindscape goes through this row: its row version says which one it replaces.</summary>
    public static void Save(ScopedBatch batch, Guid tenant, Guid person, MindscapeRow row) => batch.AddGuarded(SaveSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Json(row.Traits.Json), Sql.Bigint(row.Version), Sql.Bigint(row.LastNumber), Sql.Bigint(row.AppliedNumber),
        Sql.Bool(row.IsPaused), Sql.Bigint(row.RowVersion), Sql.Time(row.UpdatedAt));

    private const string InsertSql = """
        INSERT INTO observations (tenant_id, id, person_id, number, kind, type, content, metadata, source, client_id, content_hash, is_echo, observed_at, created_at, created_by)
        SELECT $1, o.id, $2, o.number, o.kind, o.type, o.content, o.metadata, o.source, o."clientId",
          sha256(convert_to(o.type || ' ' || o.content::text, 'UTF8')), o."isEcho", o."observedAt", o."createdAt", $4
        FROM json_to_recordset($3) AS o(id uuid, number bigint, kind text, type text, content json, metadata json, source text, "clientId" text,
          "isEcho" boolean, "observedAt" timestamptz, "createdAt" timestamptz)
        """;

    /// <param name="by">The key that sent them; none with auth off.</param>
    public static void Insert(ScopedBatch batch, Guid tenant, Guid person, IReadOnlyList<MindscapeEntry> entries, Guid by) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Json(JsonText.From(entries).Json), Sql.Uuid(by == Guid.Empty ? null : by));

    private const string EntryColumns = "o.id, o.number, o.kind, o.type, o.content, o.metadata, o.source, o.client_id, o.is_echo, o.observed_at, o.created_at";

    private const string AfterSql = $"""
        SELECT {EntryColumns} FROM observations o WHERE o.tenant_id = $1 AND o.person_id = $2 AND o.number > $3 ORDER BY o.number LIMIT $4
        """;

    /// <summary>In their numbering.</summary>
    public Task<List<MindscapeEntry>> After(Guid tenant, Guid person, long number, int limit) => database.ReadMany(
        RowScope.OfUser(tenant, person), AfterSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Bigint(number), Sql.Int(limit)], MapEntry);

    private const string AllSql = $"""
        SELECT {EntryColumns} FROM observations o
        WHERE o.tenant_id = $1 AND o.person_id = $2 AND ($3::timestamptz IS NULL OR o.created_at <= $3) ORDER BY o.number
        """;

    /// <summary>All that is left of what was recorded, in its numbering.</summary>
    /// <param name="until">What was recorded later isn't among it.</param>
    public Task<List<MindscapeEntry>> All(Guid tenant, Guid person, DateTimeOffset? until, CancellationToken cancel = default) => database.ReadMany(
        RowScope.OfUser(tenant, person), AllSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Time(until)], MapEntry, cancel);

    private const string ByClientIdsSql = $"""
        SELECT {EntryColumns} FROM observations o WHERE o.tenant_id = $1 AND o.person_id = $2 AND o.client_id = ANY ($3)
        """;

    public Task<List<MindscapeEntry>> ByClientIds(Guid tenant, Guid person, string[] clientIds) => database.ReadMany(
        RowScope.OfUser(tenant, person), ByClientIdsSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Texts(clientIds)], MapEntry);

    private const string SaidBeforeSql = """
        SELECT DISTINCT o.content_hash, o.source FROM observations o
        WHERE o.tenant_id = $1 AND o.person_id = $2 AND o.kind = 'observation'
          AND o.content_hash IN (SELECT sha256(convert_to(said, 'UTF8')) FROM unnest($3::text[]) AS said)
        """;

    /// <param name="said">Type and content as they are hashed: <see cref="Said"/>.</param>
    public Task<List<SaidBefore>> SaidBefore(Guid tenant, Guid person, string[] said) => database.ReadMany(
        RowScope.OfUser(tenant, person), SaidBeforeSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Texts(said)],
        row => new SaidBefore(row.GetFieldValue<byte[]>(0), row.TextOrNull(1)));

    public static string Said(string type, JsonText content) => $"{type} {content.Json}";

    private const string FindSql = $"SELECT {EntryColumns} FROM observations o WHERE o.tenant_id = $1 AND o.person_id = $2 AND o.id = $3 AND o.kind = ANY ($4)";

    /// <param name="kinds">One of another kind isn't it.</param>
    public Task<MindscapeEntry?> Find(Guid tenant, Guid person, Guid id, params string[] kinds) => database.ReadOne(
        RowScope.OfUser(tenant, person), FindSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id), Sql.Texts(kinds)], MapEntry);

    private const string FindOwnerSql = "SELECT person_id FROM observations WHERE tenant_id = $1 AND id = $2 AND kind = 'observation'";

    /// <summary>Of whom it is, so that their grain can be asked.</summary>
    public Task<Guid?> FindOwner(Guid tenant, Guid id, CancellationToken cancel) => database.ReadValue(
        RowScope.OfTenant(tenant), FindOwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => row.GetGuid(0), cancel);

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM observations WHERE tenant_id = $1 AND person_id = $2 AND id = $3 RETURNING 1)
        SELECT must_hit(count(*), 'observation') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, Guid person, Guid id) => batch.AddGuarded(DeleteSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id));

    private const string ListSql = """
        SELECT o.id, o.person_id, o.number, o.type, o.content, o.metadata, o.source, o.client_id, o.observed_at, o.created_at FROM observations o
        WHERE o.tenant_id = $1 AND ($2::uuid IS NULL OR o.person_id = $2) AND o.kind = 'observation'
          AND ($3::bigint IS NULL OR o.number < $3)
        ORDER BY o.created_at DESC, o.number DESC, o.id LIMIT $4 OFFSET $5
        """;

    /// <summary>The newest first.</summary>
    /// <param name="scope">Whose may be seen.</param>
    /// <param name="person">Of one person, or of all that the scope shows.</param>
    /// <param name="before">Of one person, those numbered before this.</param>
    public Task<List<ObservationView>> List(RowScope scope, Guid? person, long? before, int limit, int offset, CancellationToken cancel) => database.ReadMany(
        scope, ListSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Bigint(before), Sql.Int(limit), Sql.Int(offset)],
        row => new ObservationView(
            row.GetGuid(0), row.GetGuid(1), row.GetInt64(2), row.GetString(3), new JsonText(row.GetString(4)), new JsonText(row.GetString(5)),
            row.TextOrNull(6), row.TextOrNull(7), row.TimeOrNull(8), row.Time(9)),
        cancel);

    private const string InsertHistorySql = """
        INSERT INTO mindscape_history (tenant_id, person_id, version, cause, changes, observed_at, at)
        SELECT $1, $2, h.version, h.cause, h.changes, h."observedAt", h.at
        FROM json_to_recordset($3) AS h(version bigint, cause json, changes json, "observedAt" timestamptz, at timestamptz)
        """;

    public static void InsertHistory(ScopedBatch batch, Guid tenant, Guid person, IReadOnlyList<MindscapeVersion> versions) => batch.Add(InsertHistorySql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Json(JsonText.From(versions).Json));

    private const string DeleteHistorySql = "DELETE FROM mindscape_history WHERE tenant_id = $1 AND person_id = $2 AND version >= $3";

    public static void DeleteHistory(ScopedBatch batch, Guid tenant, Guid person, long from) => batch.Add(DeleteHistorySql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Bigint(from));

    private const string HistorySql = """
        SELECT h.version, h.cause, h.changes, h.observed_at, h.at FROM mindscape_history h
        WHERE h.tenant_id = $1 AND h.person_id = $2 AND h.version < $3 ORDER BY h.version DESC LIMIT $4
        """;

    /// <summary>The newest first.</summary>
    public Task<List<MindscapeVersion>> History(Guid tenant, Guid person, long before, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, person), HistorySql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Bigint(before), Sql.Int(limit)], MapVersion, cancel);

    private const string TraitHistorySql = """
        SELECT h.version, h.cause, h.changes -> $3::text, h.observed_at, h.at FROM mindscape_history h
        WHERE h.tenant_id = $1 AND h.person_id = $2 AND h.changes -> $3::text IS NOT NULL AND h.version < $4 ORDER BY h.version DESC LIMIT $5
        """;

    /// <summary>What happened to one trait, the newest first.</summary>
    public Task<List<MindscapeVersion>> TraitHistory(Guid tenant, Guid person, string path, long before, int limit, CancellationToken cancel = default) => database.ReadMany(
        RowScope.OfUser(tenant, person), TraitHistorySql,
        [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(path), Sql.Bigint(before), Sql.Int(limit)], MapVersion, cancel);

    private static MindscapeVersion MapVersion(NpgsqlDataReader row) => new(
        row.GetInt64(0), new JsonText(row.GetString(1)), new JsonText(row.GetString(2)), row.Time(3), row.Time(4));

    private static MindscapeEntry MapEntry(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetInt64(1), row.GetString(2), row.GetString(3), new JsonText(row.GetString(4)), new JsonText(row.GetString(5)),
        row.TextOrNull(6), row.TextOrNull(7), row.GetBoolean(8), row.TimeOrNull(9), row.Time(10));
}
