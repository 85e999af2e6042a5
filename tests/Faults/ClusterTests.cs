using System.Diagnostics;
using Npgsql;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Faults;

/// <summary>Nodes of a cluster, each a process of its own.</summary>
[Long]
public sealed class ClusterTests(ClusterTests.Parts parts) : IClassFixture<ClusterTests.Parts>
{
    /// <summary>A silo without clients, and a gateway without grains.</summary>
    public sealed class Parts : IAsyncLifetime
    {
        public TestDatabase Database { get; private set; } = null!;

        public ProcessNode Silo { get; private set; } = null!;

        public ProcessNode Gateway { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Database = await TestDatabase.Create();
            Silo = await ProcessNode.Start(Database, null, [("PERSONA__ROLE", "silo"), ("PERSONA__DATABASE__APP", Database.App), .. OwnPorts()]);
            Gateway = await ProcessNode.Start(Database, null, ("PERSONA__ROLE", "gateway"), ("Logging__LogLevel__Orleans", "Information"));
        }

        public async Task DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Silo.DisposeAsync();
            await Database.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_gateway_without_grains_serves_what_a_silo_without_clients_has()
    {
        await using var clients = await NodeClients.Start();
        var (silo, gateway) = (parts.Silo, parts.Gateway);
        using var client = gateway.Client(silo.Key);
        (await client.Get("/health/ready")).Should(HttpStatusCode.OK);

        var user = await client.Register("ada");
        var acting = ("X-Persona-User", user.ToString());
        var personality = (await client.Post("/v1/personalities", new { name = "Lila", characterInfo = "Lila knows {{user}}.", personalityTraits = "dry", isPublic = true }, acting))
            .Should(HttpStatusCode.Created).Id;
        var prompt = (await client.Get($"/v1/personalities/{personality}/prompt?user={user}&format=text")).Should(HttpStatusCode.OK).Text;
        Assert.Contains("Lila knows ada.", prompt, StringComparison.Ordinal);
        var subscribers = new List<NodeClient>();
        foreach (var stream in (string[])[$"user:{user}", $"companion:{user}", $"prompt:{user}:{personality}"])
        {
            subscribers.Add(await clients.Raw(gateway.Address, silo.Key));
            Assert.Null((await subscribers[^1].Subscribe(stream))["error"]);
        }

        (await client.Patch($"/v1/users/{user}", new { username = "bea" })).Should(HttpStatusCode.OK);
        (await client.Post("/v1/focus/sessions", new { mode = "pomodoro" }, acting)).Should(HttpStatusCode.Created);
        (await client.Patch($"/v1/personalities/{personality}", new { characterInfo = "Lila greets {{user}}." }, acting)).Should(HttpStatusCode.OK);
        Assert.Equal("user.updated", (string?)(await subscribers[0].Event())["type"]);
        Assert.Equal("session_started", (string?)(await subscribers[1].Event())["type"]);
        Assert.Equal("prompt.changed", (string?)(await subscribers[2].Event())["type"]);
        Assert.Contains("Lila greets ada.", (await client.Get($"/v1/personalities/{personality}/prompt?user={user}&format=text")).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
    }

    /// <summary>As while a service is updated: whichever is older, what one writes the other serves, and what one's grains are asked comes from the other's clients.</summary>
    [SoakFact]
    public async Task A_silo_of_the_commit_before_and_one_of_this_serve_beside_each_other()
    {
        await using var database = await TestDatabase.Create();
        await using var before = await ProcessNode.Start(await CommitBefore.Executable(), database, null);
        await using var now = await ProcessNode.Start(database);
        using var here = before.Client();
        using var there = now.Client(before.Key);
        var personality = (await here.Post("/v1/personalities", new { name = "Lila", characterInfo = "Lila knows {{user}}.", personalityTraits = "dry", isPublic = true }))
            .Should(HttpStatusCode.Created).Id;
        // Enough of them that each silo has some of the grains.
        for (var i = 0; i < 8; i++)
        {
            foreach (var (writer, reader) in ((ApiClient, ApiClient)[])[(here, there), (there, here)])
            {
                var user = await writer.Register($"ada-{i}-{(writer == here ? "before" : "now")}");
                var acting = ("X-Persona-User", user.ToString());
                var persona = (Guid)(await reader.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json["defaultPersonaId"]!;
                (await reader.Patch($"/v1/personas/{persona}", new { preferredName = $"Bea {i}" }, acting)).Should(HttpStatusCode.OK);
                (await writer.Post("/v1/focus/sessions", new { mode = "pomodoro" }, acting)).Should(HttpStatusCode.Created);
                (await reader.Post("/v1/observations", new { type = "work_session", content = new { duration_minutes = 30 } }, acting)).Should(HttpStatusCode.Created);
                foreach (var client in (ApiClient[])[writer, reader])
                {
                    var prompt = (await client.Get($"/v1/personalities/{personality}/prompt?user={user}&format=text")).Should(HttpStatusCode.OK).Text;
                    Assert.Contains($"Lila knows Bea {i}.", prompt, StringComparison.Ordinal);
                }
            }
        }

        const string silos = "SELECT count(*) FROM orleans_membership WHERE status = 3";
        Assert.Equal(2, await Sql.Ask<long>(database.Superuser, silos));
    }

    /// <summary>The commands wait in their grains for a row that is held, and with them whoever asked; then one of the two silos through which they were asked is killed.</summary>
    [Fact]
    public async Task Commands_asked_through_a_silo_that_is_killed_are_answered_by_the_other()
    {
        var database = parts.Database;
        var ports = OwnPorts();
        await using var killed = await ProcessNode.Start(database, null, [("PERSONA__ROLE", "silo"), ("PERSONA__DATABASE__APP", database.App), .. ports]);
        using var client = parts.Gateway.Client(parts.Silo.Key);
        await Eventually.True("the gateway that was there before has found it, and asks through it", async () =>
        {
            await client.Register("somebody");
            return parts.Gateway.Output.Contains($"Connected to endpoint S127.0.0.1:{ports[1].Value}:", StringComparison.Ordinal);
        });
        var users = new List<Guid>();
        // No more than one silo has connections for: they may all be there.
        for (var i = 0; i < 8; i++)
        {
            users.Add(await client.Register($"user-{i}"));
        }

        await using var holder = new NpgsqlConnection(database.Superuser);
        await holder.OpenAsync();
        await using var held = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("SELECT 1 FROM users FOR UPDATE", holder, held))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var renamed = users.Select((user, i) => client.Patch($"/v1/users/{user}", new { username = $"renamed-{i}" })).ToArray();
        const string waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        await Eventually.True("all wait", async () => await Sql.Ask<long>(database.Superuser, waiting) == users.Count);
        var since = Stopwatch.StartNew();
        await killed.Kill();
        await held.RollbackAsync();
        Assert.All(await Task.WhenAll(renamed), answer => answer.Should(HttpStatusCode.OK));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(25));
    }

    private static (string Name, string Value)[] OwnPorts() =>
    [
        ("PERSONA__CLUSTER__SILOPORT", ProcessNode.FreePort().ToString()),
        ("PERSONA__CLUSTER__GATEWAYPORT", ProcessNode.FreePort().ToString()),
    ];
}
