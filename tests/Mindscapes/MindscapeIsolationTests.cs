namespace PersonaActors.Tests.Mindscapes;

/// <summary>What is known of a person is nobody else's: over HTTP, and as the app login with no code of ours between.</summary>
public sealed class MindscapeIsolationTests(MindscapeIsolationTests.TwoTenants two) : IClassFixture<MindscapeIsolationTests.TwoTenants>
{
    private static readonly string[] Tables = ["mindscapes", "observations", "mindscape_history", "generated_personas", "feedback", "narratives", "narrative_vectors", "trait_narrative_links"];

    public static TheoryData<string> Owned => [.. Tables];

    /// <summary>Ada and Bob in one tenant, Eve in another, each with all of it.</summary>
    public sealed class TwoTenants : Room
    {
        public Guid Other { get; private set; }

        public (Guid Person, Guid Observation, Guid Persona)[] People { get; } = new (Guid, Guid, Guid)[3];

        public override async Task InitializeAsync()
        {
            await base.InitializeAsync();
            Other = (await NewTenant()).Id;
            using var elsewhere = Node.Client(await Node.ServiceKey(Other));
            (People[0], People[1], People[2]) = (await Make(Service, "ada"), await Make(Service, "bob"), await Make(elsewhere, "eve"));
        }

        private static async Task<(Guid, Guid, Guid)> Make(ApiClient client, string name)
        {
            var person = await client.Register(name);
            var observation = (await client.Post("/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 60 } })).Should(HttpStatusCode.Created).Id;
            var persona = (await client.Post("/v1/generated-personas", new { person, mapper = "daily-work-optimizer" })).Should(HttpStatusCode.Created).Id;
            (await client.Post("/v1/feedback", new { personaId = persona, helpful = true })).Should(HttpStatusCode.Created);
            (await client.Post("/v1/narratives", new { person, text = $"{name} hides gold in the garden", traits = new { secret = "gold" } })).Should(HttpStatusCode.Created);
            return (person, observation, persona);
        }
    }

    [Theory, MemberData(nameof(Owned))]
    public async Task A_user_sees_changes_and_deletes_only_what_is_theirs(string table)
    {
        var (demo, ada, bob, eve) = (two.Node.Demo, two.People[0].Person, two.People[1].Person, two.People[2].Person);
        Assert.Equal(0, await Sql.CountAsApp(two.Database, null, null, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, demo, null, null, $"SELECT count(*) FROM {table}"));
        Assert.True(await Sql.CountAsApp(two.Database, demo, ada, null, $"SELECT count(*) FROM {table}") > 0);
        Assert.Equal(0, await Sql.CountAsApp(two.Database, demo, ada, null, $"SELECT count(*) FROM {table} WHERE person_id <> '{ada}'"));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, two.Other, ada, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, demo, null, "tenant", $"SELECT count(*) FROM {table} WHERE person_id = '{eve}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, demo, ada, null, $"UPDATE {table} SET person_id = person_id WHERE person_id = '{bob}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, demo, ada, "tenant", $"DELETE FROM {table} WHERE person_id = '{eve}'"));
        await Sql.ShouldBeRefusedAsApp(two.Database, demo, ada, null, $"UPDATE {table} SET person_id = '{bob}' WHERE person_id = '{ada}'");
        await Sql.ShouldBeRefusedAsApp(two.Database, demo, ada, null, $"UPDATE {table} SET tenant_id = '{two.Other}' WHERE person_id = '{ada}'");
    }

    [Theory]
    [InlineData("mapper_configs")]
    [InlineData("mapper_rule_weights")]
    public async Task Mappers_are_read_by_their_tenant_and_written_by_tenant_wide_work(string table)
    {
        Assert.Equal(0, await Sql.CountAsApp(two.Database, null, null, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, two.Node.Demo, two.People[0].Person, null, $"SELECT count(*) FROM {table} WHERE tenant_id <> '{two.Node.Demo}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, two.Node.Demo, two.People[0].Person, null, $"UPDATE {table} SET config_id = config_id"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, two.Node.Demo, two.People[0].Person, null, $"DELETE FROM {table}"));
    }

    [Fact]
    public async Task Nothing_of_a_person_is_found_by_another_user_or_tenant()
    {
        var (ada, observation, persona) = two.People[0];
        using var hers = two.Node.Client(await two.Node.UserKey(ada));
        (await hers.Get($"/v1/mindscapes/{ada}/traits/work.focus_duration/why")).Should(HttpStatusCode.OK);
        (await hers.Get($"/v1/generated-personas/{persona}")).Should(HttpStatusCode.OK);
        var narrative = (await hers.Get("/v1/narratives")).Should(HttpStatusCode.OK).Json["items"]![0]!["id"]!;
        using var bob = two.Node.Client(await two.Node.UserKey(two.People[1].Person));
        using var eve = two.Node.Client(await two.Node.ServiceKey(two.Other));
        foreach (var other in (ApiClient[])[bob, eve])
        {
            foreach (var path in (string[])[$"/v1/mindscapes/{ada}", $"/v1/mindscapes/{ada}?asOf=2100-01-01", $"/v1/mindscapes/{ada}/traits/work.focus_duration",
                $"/v1/mindscapes/{ada}/traits/work.focus_duration/why", $"/v1/generated-personas/{persona}", $"/personakit/api/mindscapes/{ada}", $"/personakit/personas/{persona}"])
            {
                (await other.Get(path)).Should(HttpStatusCode.NotFound);
            }

            foreach (var path in (string[])[$"/v1/mindscapes/{ada}/history", $"/v1/mindscapes/{ada}/traits/work.focus_duration/history", $"/v1/observations?person={ada}", $"/v1/generated-personas?person={ada}", $"/v1/feedback?person={ada}",
                $"/v1/feedback/analytics?person={ada}", $"/personakit/observations?person_id={ada}", "/v1/observations", "/v1/generated-personas", "/v1/feedback", "/personakit/personas"])
            {
                var answer = await other.Get(path);
                Assert.True(answer.Status == HttpStatusCode.NotFound || !answer.Text.Contains(ada.ToString(), StringComparison.Ordinal), $"{path}: {answer.Text}");
                Assert.DoesNotContain("duration_minutes\":60}", answer.Status == HttpStatusCode.OK && path.Contains(ada.ToString(), StringComparison.Ordinal) ? answer.Text : "", StringComparison.Ordinal);
            }

            (await other.Delete($"/v1/observations/{observation}")).Should(HttpStatusCode.NotFound);
            (await other.Get($"/v1/narratives/{narrative}")).Should(HttpStatusCode.NotFound);
            (await other.Put($"/v1/narratives/{narrative}", new { text = "x" })).Should(HttpStatusCode.NotFound);
            (await other.Delete($"/v1/narratives/{narrative}")).Should(HttpStatusCode.NotFound);
            foreach (var mode in (string[])["hybrid", "vector", "words"])
            {
                var found = await other.Post("/v1/narratives:search", new { person = ada, query = "where is the gold hidden", mode, minSimilarity = 0 });
                Assert.True(found.Status == HttpStatusCode.NotFound || !found.Text.Contains("garden", StringComparison.Ordinal), found.Text);
            }

            Assert.DoesNotContain("ada hides", (await other.Get("/v1/narratives")).Text, StringComparison.Ordinal);
            (await other.Post("/v1/feedback", new { personaId = persona, helpful = false })).Should(HttpStatusCode.NotFound);
        }

        (await bob.Put($"/v1/mindscapes/{ada}", new { traits = new { a = 1 } })).Should(HttpStatusCode.NotFound);
        (await bob.Put($"/v1/mindscapes/{ada}/learning", new { paused = true })).Should(HttpStatusCode.NotFound);
        (await bob.Post("/v1/observations", new { person = ada, type = "x", content = new { } })).Should(HttpStatusCode.NotFound);
        (await bob.Post("/v1/generated-personas", new { person = ada, mapper = "daily-work-optimizer" })).Should(HttpStatusCode.NotFound);
        (await bob.Post("/v1/mappers/daily-work-optimizer:simulate", new { person = ada })).Should(HttpStatusCode.NotFound);
        (await bob.Put("/v1/mappers/daily-work-optimizer", new { status = "draft" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await bob.Delete("/v1/mappers/daily-work-optimizer")).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
    }
}
