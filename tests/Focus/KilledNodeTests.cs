using System.Collections.Concurrent;
using Npgsql;

namespace PersonaActors.Tests.Focus;

[Long]
public sealed class KilledNodeTests
{
    [Fact]
    public async Task Killed_under_pings_and_ends_sessions_go_on_and_every_end_counts_once()
    {
        await using var database = await TestDatabase.Create();
        var people = Enumerable.Range(0, 24).Select(_ => Guid.NewGuid()).ToArray();
        var sessions = new ConcurrentDictionary<Guid, Guid>();
        var ended = new ConcurrentBag<Guid>();
        await using (var node = await ProcessNode.Start(database, null, ("PERSONA__AUTH", "off")))
        {
            using var client = node.Client("unused");
            await Task.WhenAll(people.Select(async person =>
                sessions[person] = Guid.Parse((string)(await client.Post("/focus/start", new { person_id = person })).Should(HttpStatusCode.OK).Json["session_id"]!)));
            var acts = sessions.Values.SelectMany((session, i) => Enumerable.Range(0, 12).Select(async k =>
            {
                try
                {
                    if (k == 6 && i % 2 == 0)
                    {
                        if ((await client.Post("/focus/end", new { session_id = session, completion_score = 0.5 })).Status == HttpStatusCode.OK)
                        {
                            ended.Add(session);
                        }
                    }
                    else
                    {
                        await client.Post("/focus/ping", new { session_id = session, biomarkers = new { focus = 0.1 * k } });
                    }
                }
                catch (HttpRequestException)
                {
                    // Killed before it answered: it may have happened or not.
                }
            })).ToList();
            await Eventually.True("some ends were acknowledged", () => Task.FromResult(ended.Count >= 3));
            await node.Kill();
            await Task.WhenAll(acts);
        }

        await using var next = await Node.Succeed(database, auth: false);
        using var again = next.Client();
        await using var connection = new NpgsqlConnection(database.Superuser);
        await connection.OpenAsync();
        foreach (var session in ended)
        {
            Assert.Equal("ended", (string?)(await again.Get($"/v1/focus/sessions/{session}")).Json["state"]);
        }

        foreach (var session in sessions.Values)
        {
            (await again.Post("/focus/end", new { session_id = session })).Should(HttpStatusCode.OK);
        }

        const string notOnce = """
            SELECT count(*) FROM focus_sessions s WHERE s.status <> 'ended' OR
              (SELECT count(*) FROM focus_events e WHERE e.session_id = s.id AND e.event_type = 'session_end') <> 1 OR
              (SELECT count(*) FROM events e WHERE e.stream = 'session:' || s.id AND e.type = 'ended') <> 1 OR
              (SELECT count(*) FROM memory_short_term m WHERE m.session_id = s.id) <> 1 OR
              (SELECT count(*) FROM events e WHERE e.stream = 'companion:' || s.person_id AND e.type = 'session_ended') <> 1
            """;
        await using var command = new NpgsqlCommand(notOnce, connection);
        await Eventually.True("every end counts once", async () => (long)(await command.ExecuteScalarAsync())! == 0);
        await using var all = new NpgsqlCommand("SELECT count(*) FROM focus_sessions", connection);
        Assert.Equal(people.Length, (long)(await all.ExecuteScalarAsync())!);
    }
}
