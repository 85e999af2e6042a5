using System.Diagnostics;

namespace PersonaActors.Tests.Faults;

/// <summary>PostgreSQL is really stopped, for ten seconds, under load.</summary>
[Long]
public sealed class OutageTests
{
    /// <summary>So that each asks ten times a second, and not as often as it is refused.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task With_PostgreSQL_stopped_the_node_lives_refuses_fast_and_heals_by_itself()
    {
        using var cluster = PrivateCluster.Create();
        await using var database = await TestDatabase.CreateOn(cluster.Superuser);
        await using var node = await ProcessNode.Start(database);
        using var client = node.Client();
        var user = await client.Register("ada");
        using var stop = new CancellationTokenSource();
        var acknowledged = 0L;
        var load = Enumerable.Range(0, 8).Select(async worker =>
        {
            using var pause = new PeriodicTimer(Pause);
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var answer = await client.Patch($"/v1/users/{user}", new { username = $"ada {worker} {i}" });
                Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{(int)answer.Status} {answer.Text}");
                if (answer.Status == HttpStatusCode.OK)
                {
                    Interlocked.Increment(ref acknowledged);
                }

                await pause.WaitForNextTickAsync();
            }
        }).ToList();
        load.AddRange(Enumerable.Range(0, 4).Select(async _ =>
        {
            HttpStatusCode[] expected = [HttpStatusCode.OK, HttpStatusCode.Created, HttpStatusCode.ServiceUnavailable];
            using var pause = new PeriodicTimer(Pause);
            var (person, session) = (await client.Register("focused"), Guid.Empty);
            while (!stop.IsCancellationRequested)
            {
                var answer = session == Guid.Empty
                    ? await client.Post("/v1/focus/sessions", new { user = person, estimatedMinutes = 25, takeover = true })
                    : Random.Shared.Next(2) == 0
                        ? await client.Post($"/v1/focus/sessions/{session}/ping", new { biomarkers = new { focus = 0.5 } })
                        : await client.Post($"/v1/focus/sessions/{session}/extend", new { minutes = 1 });
                Assert.True(expected.Contains(answer.Status), $"{(int)answer.Status} {answer.Text}");
                session = answer.Status == HttpStatusCode.Created ? answer.Id : Random.Shared.Next(4) == 0 ? Guid.Empty : session;
                await pause.WaitForNextTickAsync();
            }
        }));
        await Eventually.True("some commands were carried out", () => Task.FromResult(Volatile.Read(ref acknowledged) > 50));

        cluster.Stop();
        var stopped = Stopwatch.GetTimestamp();
        try
        {
            await Eventually.True("ready is 503", async () => (await client.Get("/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
            using var pause = new PeriodicTimer(Pause);
            while (Stopwatch.GetElapsedTime(stopped) < TimeSpan.FromSeconds(10))
            {
                (await client.Get("/health/live")).Should(HttpStatusCode.OK);
                var asked = Stopwatch.GetTimestamp();
                var refused = await client.Post("/v1/users", new { username = "bob" });
                refused.ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
                Assert.NotNull(refused.Headers.RetryAfter);
                Assert.True(Stopwatch.GetElapsedTime(asked) < TimeSpan.FromSeconds(4), "a refusal during an outage must be fast");
                (await client.Get($"/v1/focus/sessions?user={user}")).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
                (await client.Post($"/v1/focus/sessions?user={user}", new { mode = "deep" })).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
                await pause.WaitForNextTickAsync();
            }
        }
        finally
        {
            // Also if this is not as it should be: what is wrong would hide behind a clean-up without a database.
            cluster.Start();
        }

        await Eventually.True("ready is 200 again", async () => (await client.Get("/health/ready")).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(30));
        var before = Volatile.Read(ref acknowledged);
        await Eventually.True("commands are carried out again", () => Task.FromResult(Volatile.Read(ref acknowledged) > before + 50));
        await stop.CancelAsync();
        await Task.WhenAll(load);

        var read = (await client.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK);
        Assert.True((long)read.Json["version"]! >= 1 + Volatile.Read(ref acknowledged), "an acknowledged command is lost");
        Assert.False(node.HasExited);
        // An outage is said once by each part that met it, not once a grain or a command.
        var said = node.Output.Split('\n').Where(line => !line.StartsWith("ready ", StringComparison.Ordinal)).ToList();
        Assert.True(said.Count <= 20, string.Join('\n', said));
        Assert.DoesNotContain(said, line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal));
    }
}
