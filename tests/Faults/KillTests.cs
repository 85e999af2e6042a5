using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace PersonaActors.Tests.Faults;

[Long]
public sealed class KillTests
{
    [Fact]
    public async Task Killed_under_commands_every_acknowledged_one_is_there_with_its_event()
    {
        await using var database = await TestDatabase.Create();
        var acknowledged = new ConcurrentDictionary<Guid, string>();
        var enough = new TaskCompletionSource();
        string key;
        await using (var node = await ProcessNode.Start(database))
        {
            key = node.Key;
            using var client = node.Client();
            var users = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => client.Register($"user {i}")));
            var commands = Enumerable.Range(0, Soak.Of(400, 1000)).Select(async i =>
            {
                try
                {
                    var user = users[i % users.Length];
                    var answer = i % 2 == 0
                        ? await client.Patch($"/v1/users/{user}", new { username = $"renamed {i}" })
                        : await client.Post("/v1/users", new { username = $"fresh {i}" });
                    if (answer.Status is HttpStatusCode.OK or HttpStatusCode.Created)
                    {
                        acknowledged[Guid.NewGuid()] = $"{answer.Id}/{(long)answer.Json["version"]!}";
                        if (acknowledged.Count == Soak.Of(100, 300))
                        {
                            enough.TrySetResult();
                        }
                    }
                }
                catch (HttpRequestException)
                {
                    // Killed before it answered: it may have happened or not.
                }
            }).ToList();
            await enough.Task.WaitAsync(TimeSpan.FromSeconds(30));
            await node.Kill();
            await Task.WhenAll(commands);
        }

        await using var connection = new NpgsqlConnection(database.Superuser);
        await connection.OpenAsync();
        foreach (var change in acknowledged.Values)
        {
            var parts = change.Split('/');
            Assert.True(await Scalar(connection, "SELECT version FROM users WHERE id = $1", Guid.Parse(parts[0])) >= long.Parse(parts[1]), $"lost: {change}");
        }

        // No event without its change, no change without its event: a user's version is 1 and one more for each update's event.
        const string mismatches = """
            SELECT count(*) FROM users u WHERE u.version <>
              (SELECT count(*) FROM events e WHERE e.stream = 'user:' || u.id AND e.type IN ('user.registered', 'user.updated'))
            """;
        Assert.Equal(0, await Scalar(connection, mismatches));
        const string orphans = "SELECT count(*) FROM events e WHERE e.stream LIKE 'user:%' AND NOT EXISTS (SELECT FROM users u WHERE 'user:' || u.id = e.stream)";
        Assert.Equal(0, await Scalar(connection, orphans));
        const string holes = "SELECT count(*) FROM streams s WHERE s.seq <> (SELECT count(*) FROM events e WHERE e.stream = s.stream) OR s.seq <> (SELECT max(seq) FROM events e WHERE e.stream = s.stream)";
        Assert.Equal(0, await Scalar(connection, holes));
        const string answers = "SELECT count(*) FROM command_log";
        Assert.Equal(await Scalar(connection, "SELECT sum(version)::bigint FROM users"), await Scalar(connection, answers));

        await using var next = await Node.Succeed(database);
        using var again = next.Client(key);
        (await again.Get("/health/ready")).Should(HttpStatusCode.OK);
        (await again.Post("/v1/users", new { username = "after" })).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Asked_to_end_the_node_ends_cleanly_and_the_next_start_is_clean()
    {
        await using var database = await TestDatabase.Create();
        string key;
        await using (var node = await ProcessNode.Start(database))
        {
            key = node.Key;
            using var client = node.Client();
            await client.Register("ada");
            await node.Terminate();
            Assert.Equal(0, node.ExitCode);
            Assert.DoesNotContain("warn:", node.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("fail:", node.Output, StringComparison.Ordinal);
        }

        await using var next = await Node.Start(database);
        using var again = next.Client(key);
        Assert.Single((await again.Get("/v1/users")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
    }

    /// <summary>It takes up what lived on the one that was killed, whose entry in the membership is still there.</summary>
    [Fact]
    public async Task Asked_to_end_right_after_a_kill_the_node_ends_within_ten_seconds()
    {
        await using var database = await TestDatabase.Create();
        (string, string)[] open = [("PERSONA__AUTH", "off")];
        var sessions = new List<Guid>();
        await using (var killed = await ProcessNode.Start(database, null, open))
        {
            using var before = killed.Client("unused");
            for (var i = 0; i < 10; i++)
            {
                sessions.Add((await before.Post("/v1/focus/sessions", new { user = Guid.NewGuid() })).Should(HttpStatusCode.Created).Id);
            }

            await killed.Kill();
        }

        await using var node = await ProcessNode.Start(database, null, open);
        using var client = node.Client("unused");
        using var listening = await client.Open($"/v1/events?stream=session:{sessions[0]}", CancellationToken.None);
        var pings = sessions.Select(session => client.Post($"/v1/focus/sessions/{session}/ping", new { biomarkers = new { focus = 0.3 } })).ToList();
        await await Task.WhenAny(pings);
        var asked = Stopwatch.GetTimestamp();
        await node.Terminate();
        Assert.True(Stopwatch.GetElapsedTime(asked) < TimeSpan.FromSeconds(10), $"it took {Stopwatch.GetElapsedTime(asked)}:\n{node.Output}");
        Assert.Equal(0, node.ExitCode);
        try
        {
            await Task.WhenAll(pings);
        }
        catch (HttpRequestException)
        {
            // Nobody answered it any more.
        }
    }

    /// <summary>What hangs isn't waited for: whoever sent it doesn't know whether it happened, and asks again.</summary>
    [Fact]
    public async Task A_command_that_PostgreSQL_keeps_waiting_holds_up_no_end()
    {
        await using var database = await TestDatabase.Create();
        await using var proxy = new CutProxy(database.App);
        await using var node = await ProcessNode.Start(database, null, ("PERSONA__DATABASE__APP", proxy.ConnectionString));
        using var client = node.Client();
        var held = proxy.Arm(CutAt.Held);
        var waiting = client.Post("/v1/users", new { username = "ada" });
        await Eventually.True("its commit is answered, and nobody hears it", () => Task.FromResult(held.Happened));
        var asked = Stopwatch.GetTimestamp();
        await node.Terminate();
        Assert.True(Stopwatch.GetElapsedTime(asked) < TimeSpan.FromSeconds(12), $"it took {Stopwatch.GetElapsedTime(asked)}:\n{node.Output}");
        Assert.Equal(0, node.ExitCode);
        held.Let();
        await Assert.ThrowsAsync<HttpRequestException>(() => waiting);
    }

    private static async Task<long> Scalar(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return (long)(await command.ExecuteScalarAsync())!;
    }
}
