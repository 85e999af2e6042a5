namespace PersonaActors.Tests.Realtime;

/// <summary>Two nodes on one database, each a process of its own, and clients at each.</summary>
public sealed class TwoGatewaysTests
{
    [Fact]
    public async Task What_is_committed_by_one_node_reaches_a_subscriber_of_the_other_in_order()
    {
        await using var database = await TestDatabase.Create();
        await using var clients = await NodeClients.Start();
        await using var one = await ProcessNode.Start(database);
        await using var other = await ProcessNode.Start(database);
        using var here = one.Client();
        using var there = other.Client(one.Key);
        var user = await here.Register("Ada");
        var subscriber = await clients.Raw(other.Address, one.Key);
        var answer = await subscriber.Subscribe($"user:{user}");

        for (var i = 0; i < 10; i++)
        {
            (await (i % 2 == 0 ? here : there).Patch($"/v1/users/{user}", new { username = $"Ada {i}" })).Should(HttpStatusCode.OK);
        }

        var seq = (long)answer["seq"]!;
        var heard = await subscriber.EventsUntil(seq + 10);
        Assert.Equal(Enumerable.Range(1, 10).Select(n => seq + n), heard.Select(e => (long)e["seq"]!));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"Ada {i}"), heard.Select(e => (string)e["data"]!["changes"]!["username"]!));
    }

    [SoakFact]
    public async Task Clients_of_one_gateway_see_those_of_another_come_and_after_its_end_leave()
    {
        await using var database = await TestDatabase.Create();
        await using var clients = await NodeClients.Start();
        await using var watching = await ProcessNode.Start(database);
        await using var dying = await ProcessNode.Start(database);
        using var service = watching.Client();
        var user = await service.Register("Ada");
        var key = (string)(await service.Post("/v1/tokens", new { user })).Should(HttpStatusCode.Created).Json["token"]!;
        var watcher = await clients.Raw(watching.Address, watching.Key);
        await watcher.Subscribe($"presence:user:{user}");

        await clients.Raw(dying.Address, key);
        var came = await watcher.Event();
        Assert.Equal(user.ToString(), (string)came["data"]!["last"]!["joined"]!);
        Assert.Equal(1, (int)came["data"]!["online"]![0]!["connections"]!);

        await dying.Kill();
        var left = await watcher.Event();
        Assert.Equal(user.ToString(), (string)left["data"]!["last"]!["left"]!);
        Assert.Empty(left["data"]!["online"]!.AsArray());
    }
}
