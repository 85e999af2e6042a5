namespace PersonaActors.Tests.Realtime;

/// <summary>The gateway's process killed, PostgreSQL taken away: whoever listens misses nothing and gets nothing twice.</summary>
[Long]
public sealed class FaultTests
{
    [Fact]
    public Task A_gateway_killed_with_kill_9_costs_a_client_no_event() => Seeded.Run(async random =>
    {
        await using var database = await TestDatabase.Create();
        await using var clients = await NodeClients.Start();
        var port = ProcessNode.FreePort();
        var node = await ProcessNode.Start(database, port);
        try
        {
            using var api = node.Client();
            var user = await api.Register("ada");
            var epoch = (string)(await api.Get($"/v1/users/{user}")).Json["cursor"]!["epoch"]!;
            var client = await clients.Resuming(node.Address, node.Key, [$"user:{user}"], new { epoch, seq = 0 });
            var acknowledged = 2;
            for (var life = 1; ; life++)
            {
                using var dying = new CancellationTokenSource();
                var load = Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
                {
                    for (var i = 0; !dying.IsCancellationRequested; i++)
                    {
                        try
                        {
                            if ((await api.Patch($"/v1/users/{user}", new { username = $"ada {life} {worker} {i}" })).Status == HttpStatusCode.OK)
                            {
                                Interlocked.Increment(ref acknowledged);
                            }
                        }
                        catch (HttpRequestException)
                        {
                            return;
                        }
                    }
                })));
                var until = Volatile.Read(ref acknowledged) + random.Next(20, 200);
                await Eventually.True("some commands were acknowledged", () => Task.FromResult(Volatile.Read(ref acknowledged) >= until));
                await node.Kill();
                await dying.CancelAsync();
                await load;
                if (life == Soak.Of(1, 3))
                {
                    break;
                }

                await node.DisposeAsync();
                node = await ProcessNode.Start(database, port);
            }

            await using var next = await Node.Succeed(database, settings: ("Persona:Url", node.Address.ToString()));
            using var last = next.Client(node.Key);
            (await last.Patch($"/v1/users/{user}", new { username = "the last" })).Should(HttpStatusCode.OK);
            var newest = (long)(await last.Get($"/v1/users/{user}")).Json["cursor"]!["seq"]!;
            Assert.True(newest > acknowledged, $"{acknowledged} events were acknowledged, the stream has {newest}");
            Assert.Equal(Enumerable.Range(1, (int)newest).Select(n => (long)n), (await client.EventsUntil(newest)).Select(e => (long)e["seq"]!));
        }
        finally
        {
            await node.DisposeAsync();
        }
    });

    [Fact]
    public Task PostgreSQL_stopped_under_load_and_started_costs_a_client_no_event() => Seeded.Run(async random =>
    {
        using var cluster = PrivateCluster.Create();
        await using var database = await TestDatabase.CreateOn(cluster.Superuser);
        await using var clients = await NodeClients.Start();
        await using var node = await Node.StartToBeCutOff(database);
        var key = await node.ServiceKey();
        using var api = node.Client(key);
        var user = await api.Register("ada");
        var epoch = (string)(await api.Get($"/v1/users/{user}")).Json["cursor"]!["epoch"]!;
        var listening = await clients.Resuming(node.Address, key, [$"user:{user}"], new { epoch, seq = 0 });
        var raw = await clients.Raw(node.Address, key);
        await raw.Subscribe($"user:{user}", epoch, 0);
        var (acknowledged, refused) = (2, 0);
        using var enough = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, 3).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                switch ((await api.Patch($"/v1/users/{user}", new { username = $"ada {worker} {i}" })).Status)
                {
                    case HttpStatusCode.OK:
                        Interlocked.Increment(ref acknowledged);
                        break;
                    case HttpStatusCode.ServiceUnavailable:
                        Interlocked.Increment(ref refused);
                        break;
                    case var other:
                        throw new InvalidOperationException($"a command was answered with {other}");
                }
            }
        })));

        async Task Acknowledged(int more, TimeSpan within)
        {
            var until = Volatile.Read(ref acknowledged) + more;
            await Eventually.True($"{more} more commands are carried out", () => Task.FromResult(load.IsCompleted || Volatile.Read(ref acknowledged) >= until), within);
        }

        await Acknowledged(random.Next(10, 150), TimeSpan.FromSeconds(15));
        cluster.Stop();
        await Eventually.True("commands are refused", () => Task.FromResult(load.IsCompleted || Volatile.Read(ref refused) > 0));
        cluster.Start();
        await Acknowledged(random.Next(10, 50), TimeSpan.FromSeconds(30));
        await enough.CancelAsync();
        await load;

        // A connection from before may still be found broken by one command or the other.
        await Eventually.True("the last command is carried out", async () => (await api.Patch($"/v1/users/{user}", new { username = "the last" })).Status == HttpStatusCode.OK);
        var newest = 0L;
        await Eventually.True("the user is read", async () =>
        {
            var read = await api.Get($"/v1/users/{user}");
            newest = read.Status == HttpStatusCode.OK ? (long)read.Json["cursor"]!["seq"]! : 0;
            return newest > 0;
        });
        Assert.True(newest > acknowledged, $"{acknowledged} events were acknowledged, the stream has {newest}");
        var expected = Enumerable.Range(1, (int)newest).Select(n => (long)n).ToList();
        Assert.Equal(expected, (await listening.EventsUntil(newest)).Select(e => (long)e["seq"]!));
        Assert.Equal(expected, (await raw.EventsUntil(newest)).Select(e => (long)e["seq"]!));
    });
}
