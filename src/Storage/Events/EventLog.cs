using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage.Events;

/// <summary>Where a stream stands: its newest number, and the oldest event that the log still has.</summary>
public readonly record struct StreamPosition(long Newest, long Oldest);

/// <summary>A page of events after a number. Empty with <see cref="Newest"/> ahead of the number asked for means: pruned.</summary>
public sealed record EventPage(IReadOnlyList<StreamEvent> Events, long Newest, long Oldest);

/// <summary>Reads the log. Numbers are dense, so a page that doesn't start right after what was asked for says that the log was pruned.</summary>
public sealed class EventLog(Database database)
{
    public const int PageSize = 500;

    private const string PositionsSql = """
        SELECT w.tenant, w.name, s.seq, s.oldest
        FROM unnest($1::uuid[], $2::text[]) AS w(tenant, name)
        JOIN streams s ON s.tenant_id = w.tenant AND s.stream = w.name
        """;

    /// <summary>Positions of many streams of one tenant; a stream without events has none.</summary>
    public async Task<Dictionary<string, StreamPosition>> Positions(Guid tenant, string[] streams, CancellationToken cancel)
    {
        var tenants = new Guid[streams.Length];
        Array.Fill(tenants, tenant);
        var rows = await database.ReadMany(RowScope.OfTenant(tenant), PositionsSql, [Sql.Uuids(tenants), Sql.Texts(streams)],
            row => (Name: row.GetString(1), Position: new StreamPosition(row.GetInt64(2), row.GetInt64(3))), cancel);
        return rows.ToDictionary(row => row.Name, row => row.Position);
    }

    private const string SystemPositionSql = "SELECT seq, oldest FROM streams WHERE tenant_id IS NULL AND stream = $1";

    private const string PositionSql = "SELECT seq, oldest FROM streams WHERE tenant_id = $1 AND stream = $2";

    public async Task<StreamPosition> Position(Guid? tenant, string stream, CancellationToken cancel)
    {
        static StreamPosition Map(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetInt64(1));
        return (tenant is { } id
            ? await database.ReadValue(RowScope.OfTenant(id), PositionSql, [Sql.Uuid(id), Sql.Text(stream)], Map, cancel)
            : await database.ReadValue(RowScope.OfOperator(), SystemPositionSql, [Sql.Text(stream)], Map, cancel)) ?? new StreamPosition(0, 1);
    }

    // The position in every row, so that page and position are of one snapshot.
    private const string AfterSql = """
        SELECT s.seq, s.oldest, e.seq, e.id, e.type, e.at, e.data
        FROM streams s
        LEFT JOIN LATERAL (
          SELECT * FROM events WHERE tenant_id = $1 AND stream = $2 AND seq > $3 ORDER BY seq LIMIT $4) e ON true
        WHERE s.tenant_id = $1 AND s.stream = $2
        ORDER BY e.seq
        """;

    private const string SystemAfterSql = """
        SELECT s.seq, s.oldest, e.seq, e.id, e.type, e.at, e.data
        FROM streams s
        LEFT JOIN LATERAL (
          SELECT * FROM events WHERE tenant_id IS NULL AND stream = $1 AND seq > $2 ORDER BY seq LIMIT $3) e ON true
        WHERE s.tenant_id IS NULL AND s.stream = $1
        ORDER BY e.seq
        """;

    /// <summary>The next events after a number, in order, at most a page.</summary>
    public async Task<EventPage> After(Guid? tenant, string stream, long after, CancellationToken cancel, int limit = PageSize)
    {
        var newest = 0L;
        var oldest = 1L;
        StreamEvent? Map(NpgsqlDataReader row)
        {
            newest = row.GetInt64(0);
            oldest = row.GetInt64(1);
            return row.IsDBNull(2)
                ? null
                : new StreamEvent(stream, database.Epoch, row.GetInt64(2), row.GetGuid(3), row.GetString(4), row.Time(5), new JsonText(row.GetString(6)));
        }

        var rows = tenant is { } id
            ? await database.ReadMany(RowScope.OfTenant(id), AfterSql, [Sql.Uuid(id), Sql.Text(stream), Sql.Bigint(after), Sql.Int(limit)], Map, cancel)
            : await database.ReadMany(RowScope.OfOperator(), SystemAfterSql, [Sql.Text(stream), Sql.Bigint(after), Sql.Int(limit)], Map, cancel);
        return new EventPage(rows.Where(e => e is not null).Select(e => e!).ToList(), newest, oldest);
    }
}
