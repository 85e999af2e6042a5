using System.Diagnostics;

namespace PersonaActors.Tests.Faults;

/// <summary>A node that is killed has clients, who ask again and again until it is back.</summary>
[Collection(nameof(Alone))]
public sealed class ReadyAgainTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    public static TheoryData<string> Addresses => Soak.Of<TheoryData<string>>(["another"], ["another", "the same"]);

    [Theory, MemberData(nameof(Addresses))]
    public async Task Killed_beside_busy_clients_a_node_is_ready_again_within_ten_seconds(string address)
    {
        await using var database = await TestDatabase.Create();
        using var over = new CancellationTokenSource();
        var first = ProcessNode.FreePort();
        await using var node = await ProcessNode.Start(database, first);
        using var before = node.Client();
        var user = await before.Register("ada");
        var (done, asked) = (0L, before);
        var load = Enumerable.Range(0, 8).Select(async worker =>
        {
            var person = await before.Register($"person {worker}");
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!over.IsCancellationRequested)
            {
                try
                {
                    var answer = await Volatile.Read(ref asked).Post("/v1/focus/sessions", new { user = person, estimatedMinutes = 25, takeover = true });
                    Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable, $"{(int)answer.Status} {answer.Text}");
                    if (answer.Status == HttpStatusCode.Created)
                    {
                        Interlocked.Increment(ref done);
                        continue;
                    }
                }
                catch (HttpRequestException)
                {
                    // It isn't there.
                }

                await pause.WaitForNextTickAsync();
            }
        }).ToList();
        await Eventually.True("the clients are busy", () => Task.FromResult(Volatile.Read(ref done) > 200));

        await node.Kill();
        var killed = Stopwatch.GetTimestamp();
        await using var next = await ProcessNode.Start(database, address == "another" ? null : first);
        var took = Stopwatch.GetElapsedTime(killed);
        using var after = next.Client(node.Key);
        Volatile.Write(ref asked, after);
        (await after.Get("/health/ready")).Should(HttpStatusCode.OK);
        var sofar = Volatile.Read(ref done);
        await Eventually.True("the clients go on", () => Task.FromResult(Volatile.Read(ref done) > sofar + 50));
        (await after.Patch($"/v1/users/{user}", new { username = "bea" })).Should(HttpStatusCode.OK);
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
    }
}
