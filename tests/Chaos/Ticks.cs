namespace PersonaActors.Tests.Chaos;

/// <summary>People in sessions, two of whom have their first tick each second: it comes once, whatever befell who was to run it.</summary>
internal sealed class Ticks(string superuser, DateTimeOffset until)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public int Due { get; private set; }

    public static async Task<Ticks> Begin(string superuser, TimeSpan length)
    {
        var tenant = await Sql.Ask<Guid>(superuser, "SELECT tenant_id FROM tenants LIMIT 1");
        var now = TimeProvider.System.GetUtcNow();
        await LiveSessions.Seed(superuser, tenant, (int)(2 * length.TotalSeconds), now, length);
        return new Ticks(superuser, now + length);
    }

    public async Task<IReadOnlyList<string>> Violations()
    {
        List<(Guid Session, long Times)> sessions = [];
        try
        {
            await Eventually.True("all that were due have run", async () => (sessions = await Ran()).All(session => session.Times > 0), Patience);
        }
        catch (TimeoutException)
        {
            // What is missing is said below.
        }

        Due = sessions.Count;
        return [.. Violations(sessions)];
    }

    internal static IEnumerable<string> Violations(IEnumerable<(Guid Session, long Times)> sessions) =>
        sessions.Where(session => session.Times != 1).Select(session => $"session {session.Session}: its first tick ran {session.Times} times");

    private Task<List<(Guid Session, long Times)>> Ran() => Sql.Rows(
        superuser,
        $"""
        SELECT s.id, count(e.session_id) FROM focus_sessions s LEFT JOIN focus_events e ON e.tenant_id = s.tenant_id AND e.session_id = s.id AND e.tick = 1
        WHERE s.start_time + interval '5 minutes' <= '{until:O}' GROUP BY s.id
        """,
        row => (row.GetGuid(0), row.GetInt64(1)));
}
