using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Realtime;

/// <summary>
/// The project's own client in a real browser, on a page of another origin than the server's, with the short-lived tokens
/// that browsers get.
/// </summary>
[Long]
public sealed class BrowserTests(BrowserTests.Fixture fixture) : IClassFixture<BrowserTests.Fixture>
{
    /// <summary>One browser, one site, and a node that lets its pages in. The clock is moved by one test only, and they follow each other.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private TestDatabase _database = null!;

        public FakeTimeProvider Clock { get; } = FakeTime.Start();

        public NodeClients Clients { get; private set; } = null!;

        public string Origin { get; private set; } = "";

        public Node Node { get; private set; } = null!;

        public string Key { get; private set; } = "";

        public ApiClient Service { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Clients = await NodeClients.Start();
            Origin = await Clients.OpenBrowser();
            _database = await TestDatabase.Create();
            Node = await Node.Start(_database, Clock, settings: ("Persona:AllowedOrigins", Origin));
            Key = await Node.ServiceKey();
            Service = Node.Client(Key);
        }

        public async Task DisposeAsync()
        {
            await Clients.DisposeAsync();
            Service?.Dispose();
            if (Node is not null)
            {
                await Node.DisposeAsync();
                await _database.DisposeAsync();
            }
        }
    }

    private NodeClients Clients => fixture.Clients;

    private Node Node => fixture.Node;

    [Fact]
    public Task Cut_at_random_under_load_a_page_has_every_event_once_in_order() => Seeded.Run(async random =>
    {
        var cuts = Soak.Of(6, 20);
        var user = await fixture.Service.Register("Page");
        var (stream, after) = (StreamName.User(user), new { epoch = Node.Database.Epoch, seq = 0 });
        var direct = await Clients.Page(fixture.Origin, Node.Address, fixture.Key, user);
        await InPage(direct, "resume", new { streams = new[] { stream }, after, webSocketsOnly = true });
        var negotiated = await Clients.Page(fixture.Origin, Node.Address, fixture.Key, user);
        await InPage(negotiated, "resume", new { streams = new[] { stream }, after, webSocketsOnly = false });
        var plain = await Clients.Page(fixture.Origin, Node.Address, fixture.Key, user);
        await InPage(plain, "listen", new { stream, after });

        NodeClient[] pages = [direct, negotiated, plain];
        using var cutting = new CancellationTokenSource();
        var writer = new StreamWriter(Node);
        var writing = Task.Run(() => writer.WriteAhead(user, pages, () => new string('x', 200), cutting.Token));
        var seeds = (random.Next(), random.Next(), random.Next());
        // An EventSource waits seconds before it comes back, so it is cut once.
        await Task.WhenAll(Cut(direct, cuts, new Random(seeds.Item1)), Cut(negotiated, cuts, new Random(seeds.Item2)), Cut(plain, 1, new Random(seeds.Item3)));
        await cutting.CancelAsync();
        var newest = await writing;

        foreach (var page in pages)
        {
            Assert.Equal(Enumerable.Range(1, (int)newest).Select(n => (long)n), (await page.EventsUntil(newest)).Select(e => (long)e["seq"]!));
            await page.Stop();
        }
    });

    [Fact]
    public async Task A_page_renews_its_token_on_the_living_connection()
    {
        var user = await fixture.Service.Register("Renewing");
        var page = await Clients.Page(fixture.Origin, Node.Address, fixture.Key, user);
        await InPage(page, "resume", new { streams = new[] { StreamName.User(user) }, webSocketsOnly = true });
        await page.Next("token");

        // Tokens of five minutes, announced one before their end; after a quarter of an hour the first three would not do.
        for (var renewal = 1; renewal <= 4; renewal++)
        {
            fixture.Clock.Advance(TimeSpan.FromMinutes(4));
            await page.Next("token");
            Assert.Equal(1, (int)(await InPage(page, "ping", new { }))!);
            await new StreamWriter(Node).Write(user);
            Assert.Equal(renewal + 2, (long)(await page.Event())["seq"]!);
        }

        await page.Stop();
    }

    [Fact]
    public async Task A_page_of_an_origin_that_is_not_allowed_gets_nothing()
    {
        var user = await fixture.Service.Register("Foreign");
        var foreign = fixture.Origin.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        foreach (var (origin, status, socket) in new[] { (fixture.Origin, 200, "open"), (foreign, (int?)null, "refused") })
        {
            var page = await Clients.Page(origin, Node.Address, fixture.Key, user, "api");
            var got = await InPage(page, "get", new { path = $"/v1/users/{user}" });
            Assert.Equal(status, (int?)got!["status"]);
            // A header that is no ordinary one is shown to pages only where the server says so.
            Assert.Equal(status is null, got["cursor"] is null);
            Assert.Equal(socket, (string)(await InPage(page, "socket", new { }))!);
            await page.Stop();
        }
    }

    private async Task<JsonNode?> InPage(NodeClient page, string what, object options)
    {
        var command = System.Text.Json.JsonSerializer.SerializeToNode(options)!.AsObject();
        (command["op"], command["client"], command["what"]) = ("inPage", page.Name, what);
        return await Clients.Call(command);
    }

    private static Task Cut(NodeClient page, int times, Random random) => Task.Run(async () =>
    {
        for (var cut = 0; cut < times; cut++)
        {
            await page.Next("connected");
            for (var wait = random.Next(0, 3000); wait > 0; wait--)
            {
                await Task.Yield();
            }

            await page.Cut();
        }

        await page.Next("connected");
    });
}
