using System.Diagnostics;

namespace PersonaActors.Tests.Faults;

/// <summary>A node that is killed has clients, who ask again and again until it is back.</summary>
[Collection(nameof(Alone))]
public sealed class ReadyAgainTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Killed_beside_busy_clients_a_node_is_ready_again_within_ten_seconds_under_the_same_address_and_another()
    {
        await using var database = await TestDatabase.Create();
        using var over = new CancellationTokenSource();
        var port = ProcessNode.FreePort();
        var (answered, load) = (0L, new List<Task>());
        await using var node = await ProcessNode.Start(database, port);
        using var client = node.Client();
        var user = await client.Register("ada");
        load.AddRange(Enumerable.Range(0, 8).Select(async worker =>
        {
            var person = await client.Register($"person {worker}");
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!over.IsCancellationRequested)
            {
                try
                {
                    var answer = await client.Post("/v1/focus/sessions", new { user = person, estimatedMinutes = 25, takeover = true });
                    Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable, $"{(int)answer.Status} {answer.Text}");
                    Interlocked.Increment(ref answered);
                }
                catch (HttpRequestException)
                {
                    await pause.WaitForNextTickAsync();
                }
            }
        }));
        await Eventually.True("the clients are busy", () => Task.FromResult(Volatile.Read(ref answered) > 200));

        await node.Kill();
        var killed = Stopwatch.GetTimestamp();
        await using var next = await ProcessNode.Start(database, port);
        var took = Stopwatch.GetElapsedTime(killed);
        var before = Volatile.Read(ref answered);
        await Eventually.True("the clients go on", () => Task.FromResult(Volatile.Read(ref answered) > before + 50));

        await over.CancelAsync();
        try
        {
            await Task.WhenAll(load);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nwhat the nodes said:\n{node.Output}\n{next.Output}", e);
        }

        Assert.True(took < Within, $"it took {took.TotalSeconds:0.0} s:\n{next.Output}");

        // And under another address.
        await next.Kill();
        killed = Stopwatch.GetTimestamp();
        await using var elsewhere = await ProcessNode.Start(database);
        took = Stopwatch.GetElapsedTime(killed);
        using var there = elsewhere.Client(node.Key);
        (await there.Get("/health/ready")).Should(HttpStatusCode.OK);
        (await there.Patch($"/v1/users/{user}", new { username = "bea" })).Should(HttpStatusCode.OK);
        Assert.True(took < Within, $"it took {took.TotalSeconds:0.0} s:\n{elsewhere.Output}");
    }
}
