using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Grains.Events;
using PersonaActors.Grains.Jobs;

namespace PersonaActors.Tests.Jobs;

/// <summary>Jobs as such, whatever they do.</summary>
public sealed class JobTests(JobTests.Works works) : IClassFixture<JobTests.Works>
{
    public sealed class Works : IAsyncLifetime
    {
        public TestDatabase Database { get; private set; } = null!;

        public Node Node { get; private set; } = null!;

        public ApiClient Service { get; private set; } = null!;

        internal CountingJob Counting { get; } = new();

        public async Task InitializeAsync()
        {
            Database = await TestDatabase.Create();
            Node = await Node.Start(Database, with: services => services.AddSingleton<IJobKind>(Counting));
            Service = Node.Client(await Node.ServiceKey());
        }

        public async Task DisposeAsync()
        {
            Service.Dispose();
            await Node.DisposeAsync();
            await Database.DisposeAsync();
        }
    }

    private Node Node => works.Node;

    private async Task<(Guid User, ApiClient Client)> NewUser(string name)
    {
        var user = await works.Service.Register(name);
        return (user, Node.Client(await Node.UserKey(user)));
    }

    private static async Task<JsonObject> Ended(ApiClient client, Guid job)
    {
        JsonObject now = [];
        await Eventually.True("the job has ended", async () => (string?)(now = (await client.Get($"/v1/jobs/{job}")).Should(HttpStatusCode.OK).Json)["status"] != "running");
        return now;
    }

    [Fact]
    public async Task A_job_does_each_part_once_and_tells_how_far_it_is()
    {
        var (user, client) = await NewUser("ada");
        using var _ = client;
        var id = await CountingJob.Start(Node, Node.Demo, user, new CountingJob.Input(7));
        var first = (await client.Get($"/v1/jobs/{id}")).Should(HttpStatusCode.OK).Json;
        var done = await Ended(client, id);
        Assert.Equal(("done", 7, 7, 7), ((string)done["status"]!, (int)done["done"]!, (int)done["total"]!, (int)done["report"]!["counted"]!));
        Assert.Equal(Enumerable.Range(0, 7), works.Counting.Parts[id]);
        Assert.NotNull(done["endedAt"]);
        await Replay.ShouldGive(Node, $"job:{id}", first, done);
        Assert.Equal(0, await Sql.Ask<long>(works.Database.Superuser, $"SELECT count(*) FROM jobs WHERE id = '{id}' AND input IS NOT NULL"));
        await Eventually.True("no reminder is left", async () =>
            await Sql.Ask<long>(works.Database.Superuser, $"SELECT count(*) FROM orleans_reminders WHERE grain_id LIKE '%{id:N}'") == 0);
        (await client.Post($"/v1/jobs/{id}/cancel", null)).ShouldRefuse(HttpStatusCode.Conflict, "job_ended");
    }

    [Fact]
    public async Task A_cancelled_job_says_what_stays_and_does_no_more()
    {
        var (user, client) = await NewUser("bea");
        using var _ = client;
        var id = await CountingJob.Start(Node, Node.Demo, user, new CountingJob.Input(5, WaitsAt: 2));
        await Eventually.True("it waits at its third part", () => Task.FromResult(works.Counting.Parts.TryGetValue(id, out var parts) && parts.Contains(2)));
        (await client.Post($"/v1/jobs/{id}/cancel", null, ("If-Match", "\"99\""))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var cancelled = (await client.Post($"/v1/jobs/{id}/cancel", null)).Should(HttpStatusCode.OK).Json;
        Assert.Equal(("cancelled", 2, "What was counted up to 2."), ((string)cancelled["status"]!, (int)cancelled["done"]!, (string)cancelled["stays"]!));
        Assert.Equal(cancelled.ToJsonString(), (await client.Post($"/v1/jobs/{id}/cancel", null)).Should(HttpStatusCode.OK).Json.ToJsonString());
    }

    [Fact]
    public async Task A_job_that_cannot_be_done_fails_with_its_reason()
    {
        var (user, client) = await NewUser("cleo");
        using var _ = client;
        var failed = await Ended(client, await CountingJob.Start(Node, Node.Demo, user, new CountingJob.Input(5, RefusesAt: 1)));
        Assert.Equal(("failed", "source_empty"), ((string)failed["status"]!, (string)failed["failure"]!["code"]!));
        Assert.Equal("What was counted up to 1.", (string)failed["stays"]!);
    }

    [Fact]
    public async Task Only_who_acts_for_its_user_and_admins_see_a_job()
    {
        var (user, client) = await NewUser("dora");
        var (_, other) = await NewUser("eve");
        using var lesser = Node.Client(await Node.AdminKey(mayDelegate: false));
        using var bare = Node.Client(await Node.ServiceKey(mayDelegate: false));
        using var _ = client;
        using var __ = other;
        var (own, tenants) = (await CountingJob.Start(Node, Node.Demo, user, new CountingJob.Input(1)), await CountingJob.Start(Node, Node.Demo, null, new CountingJob.Input(1)));
        await Ended(lesser, own);
        await Ended(lesser, tenants);
        foreach (var stranger in (ApiClient[])[other, bare])
        {
            (await stranger.Get($"/v1/jobs/{own}")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
            (await stranger.Post($"/v1/jobs/{own}/cancel", null)).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
            (await stranger.Get($"/v1/events?stream=job:{own}")).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");
            Assert.Empty((await stranger.Get("/v1/jobs")).Json["items"]!.AsArray());
        }

        async Task<string[]> Listed(ApiClient by, string query = "") =>
            [.. (await by.Get($"/v1/jobs?limit=200{query}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray().Select(job => (string)job!["id"]!)];
        (await works.Service.Get($"/v1/jobs/{tenants}")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
        Assert.Equal([own.ToString()], await Listed(client));
        Assert.Contains(own.ToString(), await Listed(works.Service));
        Assert.DoesNotContain(tenants.ToString(), await Listed(works.Service));
        var all = await Listed(lesser);
        Assert.True(all.AsSpan().IndexOf(tenants.ToString()) is >= 0 and var place && place < all.AsSpan().IndexOf(own.ToString()), "the newest comes first");
        Assert.Equal(all[1], (await Listed(lesser, $"&after={all[0]}"))[0]);

        Assert.Equal(1, await Sql.CountAsApp(works.Database, Node.Demo, user, null, "SELECT count(*) FROM jobs"));
        Assert.Equal(0, await Sql.CountAsApp(works.Database, Node.Demo, null, null, "SELECT count(*) FROM jobs"));
        Assert.Equal(0, await Sql.CountAsApp(works.Database, Guid.NewGuid(), user, "tenant", "SELECT count(*) FROM jobs"));
        Assert.Equal(0, await Sql.RowsAsApp(works.Database, Node.Demo, user, null, $"UPDATE jobs SET phase = 'x' WHERE id = '{tenants}'"));
        await Sql.ShouldBeRefusedAsApp(works.Database, Node.Demo, user, null, "INSERT INTO jobs (tenant_id, id, kind, status, phase, done, version, created_at, updated_at) "
            + $"VALUES ('{Node.Demo}', gen_random_uuid(), 'x', 'running', 'x', 0, 1, now(), now())");
    }

    [Fact]
    public async Task A_user_has_five_jobs_at_a_time_and_nothing_is_left_of_them_after()
    {
        var (user, client) = await NewUser("finn");
        using var _ = client;
        var jobs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => CountingJob.Start(Node, Node.Demo, user, new CountingJob.Input(3, WaitsAt: 1))));
        var grain = Node.Services.GetRequiredService<IGrainFactory>().Of<IJobGrain>(new TenantScopedKey(Node.Demo, Guid.NewGuid()));
        var command = new Command(Guid.NewGuid().ToString("N"), Guid.Empty, new string('0', 64), new Actor(ActorKind.Service, user));
        Assert.Equal("too_many_jobs", (await grain.Start(command, new JobOrder("counting", user, JsonText.EmptyObject))).Refusal!.Code);

        var keys = string.Join(',', jobs.Select(job => $"'{Node.Demo:N}/{job:N}'"));
        await Eventually.True("all have kept how far they are", async () =>
            await Sql.Ask<long>(works.Database.Superuser, $"SELECT count(*) FROM orleans_storage WHERE grain_type = 'job' AND version > 1 AND grain_id_extension IN ({keys})") == 5);
        (await works.Service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);
        using var admin = Node.Client(await Node.AdminKey());
        (await admin.Get($"/v1/jobs/{jobs[0]}")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
        await Eventually.True("nothing is left of them", async () => await Sql.Ask<long>(works.Database.Superuser, $"""
            SELECT (SELECT count(*) FROM jobs WHERE user_id = '{user}') + (SELECT count(*) FROM orleans_storage WHERE grain_id_extension IN ({keys}))
              + (SELECT count(*) FROM events WHERE owner_id = '{user}') + (SELECT count(*) FROM streams WHERE owner_id = '{user}')
              + (SELECT count(*) FROM command_log WHERE owner_id = '{user}')
            """) == 0);
    }

    [Fact]
    public async Task A_job_goes_on_where_it_was_and_is_forgotten_after_thirty_days()
    {
        await using var database = await TestDatabase.Create();
        var clock = FakeTime.Start();
        Guid id;
        await using (var before = await Node.Start(database, clock, with: services => services.AddSingleton<IJobKind>(works.Counting)))
        {
            id = await CountingJob.Start(before, before.Demo, null, new CountingJob.Input(4, WaitsAt: 2));
            await Eventually.True("it waits at its third part", () => Task.FromResult(works.Counting.Parts.TryGetValue(id, out var parts) && parts.Contains(2)));
        }

        await Sql.Run(database.Superuser, """UPDATE jobs SET input = '{"to":4}'""");
        await using var after = await Node.Start(database, clock, with: services => services.AddSingleton<IJobKind>(works.Counting));
        using var admin = after.Client(await after.AdminKey());
        var done = await Ended(admin, id);
        Assert.Equal(4, (int)done["report"]!["counted"]!);
        Assert.Equal([0, 1, 2, 2, 3], works.Counting.Parts[id]);

        var pruner = after.Services.GetRequiredService<Pruner>();
        clock.Skip(TimeSpan.FromDays(29));
        await pruner.Prune(CancellationToken.None);
        (await admin.Get($"/v1/jobs/{id}")).Should(HttpStatusCode.OK);
        clock.Skip(TimeSpan.FromDays(2));
        await pruner.Prune(CancellationToken.None);
        (await admin.Get($"/v1/jobs/{id}")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
        Assert.Equal(0, await Sql.Ask<long>(database.Superuser, "SELECT (SELECT count(*) FROM orleans_storage) + (SELECT count(*) FROM streams WHERE stream LIKE 'job:%')"));
    }

    [Fact]
    public async Task A_part_that_fails_is_tried_again_a_few_times()
    {
        Node.Expect("is given up");
        var id = await CountingJob.Start(Node, Node.Demo, null, new CountingJob.Input(3, FailsAt: 1));
        await Eventually.True("it was tried again", () => Task.FromResult(works.Counting.Parts.TryGetValue(id, out var parts) && parts.Count(part => part == 1) >= 2));
        using var admin = Node.Client(await Node.AdminKey());
        (await admin.Post($"/v1/jobs/{id}/cancel", null)).Should(HttpStatusCode.OK);
    }
}
