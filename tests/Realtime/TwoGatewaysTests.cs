namespace PersonaActors.Tests.Realtime;

/// <summary>Two nodes on one database, each a process of its own with clients of its own.</summary>
[Long]
public sealed class TwoGatewaysTests(TwoGatewaysTests.Two two) : IClassFixture<TwoGatewaysTests.Two>
{
    public sealed class Two : IAsyncLifetime
    {
        public TestDatabase Database { get; private set; } = null!;

        public ProcessNode One { get; private set; } = null!;

        public ProcessNode Other { get; private set; } = null!;

        /// <summary>A client of each, by the key of the first.</summary>
        public ApiClient Here { get; private set; } = null!;

        public ApiClient There { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Database = await TestDatabase.Create();
            One = await ProcessNode.Start(Database);
            Other = await ProcessNode.Start(Database);
            (Here, There) = (One.Client(), Other.Client(One.Key));
        }

        public async Task DisposeAsync()
        {
            Here.Dispose();
            There.Dispose();
            await Other.DisposeAsync();
            await One.DisposeAsync();
            await Database.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_second_joins_the_first_and_a_node_on_another_database_knows_nothing_of_them()
    {
        await using var another = await TestDatabase.Create();
        await using var other = await Node.Start(another);
        using var elsewhere = other.Client(await other.ServiceKey());
        var user = await two.Here.Register("ada");
        (await two.There.Patch($"/v1/users/{user}", new { username = "bea" })).Should(HttpStatusCode.OK);
        Assert.Equal("bea", (string?)(await two.Here.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json["username"]);

        (await elsewhere.Get($"/v1/users/{user}")).Should(HttpStatusCode.NotFound);
        await elsewhere.Register("ida");
        (await other.Client(two.One.Key).Get("/v1/users")).Should(HttpStatusCode.Unauthorized);
        const string silos = "SELECT count(*) FROM orleans_membership WHERE status = 3";
        Assert.Equal((2, 1), (await Sql.Ask<long>(two.Database.Superuser, silos), await Sql.Ask<long>(another.Superuser, silos)));
    }

    [Fact]
    public async Task What_is_committed_by_one_node_reaches_a_subscriber_of_the_other_in_order()
    {
        await using var clients = await NodeClients.Start();
        var user = await two.Here.Register("Ada");
        var subscriber = await clients.Raw(two.Other.Address, two.One.Key);
        var answer = await subscriber.Subscribe($"user:{user}");

        for (var i = 0; i < 10; i++)
        {
            (await (i % 2 == 0 ? two.Here : two.There).Patch($"/v1/users/{user}", new { username = $"Ada {i}" })).Should(HttpStatusCode.OK);
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
        if (left["data"]!["last"]!.AsObject().Count == 0)
        {
            // The place was on the node that died: who was there is recalled first, and nobody came or left.
            Assert.Equal(user.ToString(), (string)left["data"]!["online"]![0]!["user"]!);
            left = await watcher.Event();
        }

        Assert.Equal(user.ToString(), (string)left["data"]!["last"]!["left"]!);
        Assert.Empty(left["data"]!["online"]!.AsArray());
    }
}
