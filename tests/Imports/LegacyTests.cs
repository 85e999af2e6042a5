using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;
using Sql = PersonaActors.Tests.Harness.Sql;

namespace PersonaActors.Tests.Imports;

/// <summary>The old tables, taken over.</summary>
[Long]
public sealed class LegacyTests(Room room) : IClassFixture<Room>
{
    private static readonly int Users = Soak.Of(120, 10_000);

    /// <summary>All that a tenant has of it, without the tenant: two that are alike are the same text.</summary>
    public static string Everything(Guid tenant) => $"""
        SELECT md5(string_agg(t, '|' ORDER BY t)) FROM (
          SELECT 'u' || (to_jsonb(u) - 'tenant_id')::text AS t FROM users u WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'i' || (to_jsonb(i) - 'tenant_id')::text FROM user_identities i WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'p' || (to_jsonb(p) - 'tenant_id')::text FROM personas p WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'd' || (to_jsonb(d) - 'tenant_id')::text FROM user_default_personas d WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 's' || (to_jsonb(s) - 'tenant_id')::text FROM system_prompts s WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'l' || (to_jsonb(l) - 'tenant_id')::text FROM llm_configs l WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'c' || (to_jsonb(c) - 'tenant_id')::text FROM personalities c WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'o' || (to_jsonb(o) - 'tenant_id')::text FROM personality_owners o WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'f' || (to_jsonb(f) - 'tenant_id')::text FROM personality_default_configs f WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'h' || (to_jsonb(h) - 'tenant_id')::text FROM conversation_history h WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'a' || (to_jsonb(a) - 'tenant_id')::text FROM activated_channels a WHERE tenant_id = '{tenant}'
          UNION ALL SELECT 'v' || (to_jsonb(v) - 'tenant_id')::text FROM user_personality_configs v WHERE tenant_id = '{tenant}') all_of_it
        """;

    public static async Task<JsonObject> Ended(ApiClient client, Guid job, params (string, string)[] headers)
    {
        JsonObject now = [];
        await Eventually.True("the import has ended", async () => (string?)(now = (await client.Get($"/v1/jobs/{job}", headers)).Should(HttpStatusCode.OK).Json)["status"] != "running", TimeSpan.FromMinutes(2));
        return now;
    }

    private async Task<JsonObject> Import(Guid tenant, LegacyDatabase from, string? orphansTo, bool dryRun = false)
    {
        var inTenant = ("X-Persona-Tenant", tenant.ToString());
        var job = (await room.Operator.Post($"/v1/imports/legacy{(dryRun ? "?dryRun=true" : "")}", new { from = from.ConnectionString, orphansTo }, inTenant)).Should(HttpStatusCode.Created);
        Assert.DoesNotContain("Password", job.Text);
        var ended = await Ended(room.Operator, job.Id, inTenant);
        Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM import_rows WHERE job_id = '{job.Id}' AND kind <> 'note'"));
        return ended;
    }

    private static Dictionary<string, (long Read, long Created, long Known, long LeftOut)> Counts(JsonObject job)
    {
        Assert.True((string?)job["status"] == "done", job.ToJsonString());
        var counts = job["report"]!["tables"]!.AsArray().ToDictionary(
            table => (string)table!["table"]!, table => ((long)table!["read"]!, (long)table["created"]!, (long)table["known"]!, (long)table["leftOut"]!));
        Assert.All(counts, table => Assert.Equal(table.Value.Item1, table.Value.Item2 + table.Value.Item3 + table.Value.Item4));
        return counts;
    }

    [Fact]
    public async Task A_database_comes_across_whole_and_a_second_time_changes_nothing()
    {
        await using var from = await LegacyDatabase.Create(room.Database, Users);
        var (tenant, admin) = await room.NewTenant();
        using var _ = admin;

        // Without somebody for what is nobody's there is no import, and nothing of it.
        var failed = await Import(tenant, from, null);
        Assert.Equal(("failed", "orphans_need_owner"), ((string)failed["status"]!, (string)failed["failure"]!["code"]!));
        Assert.StartsWith("Nothing", (string)failed["stays"]!);
        Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM users WHERE tenant_id = '{tenant}'"));

        // One who is here already, in use, and one whom somebody asked for before there was one.
        var service = room.Node.Client(await room.Node.ServiceKey(tenant));
        var early = (await service.Post("/v1/users", new { username = "Early", identities = new[] { new { provider = "discord", subject = "10000000000000004" } } })).Should(HttpStatusCode.Created).Id;
        var later = await Sql.Ask<Guid>(room.Database.Superuser, "SELECT md5('user 5')::uuid");
        (await service.Get($"/v1/users/{later}")).Should(HttpStatusCode.NotFound);
        var character = await Sql.Ask<Guid>(room.Database.Superuser, "SELECT md5('character 5')::uuid");
        var before = (await admin.Get("/v1/catalogue")).Should(HttpStatusCode.OK).Json;

        // First it is only told what would happen.
        var untouched = await Sql.Ask<string>(room.Database.Superuser, Everything(tenant));
        var dry = await Import(tenant, from, "discord:10000000000000001", dryRun: true);
        Assert.Equal(untouched, await Sql.Ask<string>(room.Database.Superuser, Everything(tenant)));
        Assert.True((bool)dry["report"]!["dryRun"]!);

        var done = await Import(tenant, from, "discord:10000000000000001");
        var counts = Counts(done);
        Assert.Equal(counts, Counts(dry));
        Assert.Equal((Users, Users - 1, 1, 0), counts["users"]);
        Assert.Equal((2, 2, 0, 0), counts["system_prompts"]);
        Assert.Equal((3, 3, 0, 0), counts["llm_configs"]);
        var personas = Users + (Users / 10) + 3 + 4;
        Assert.Equal((personas, personas, 0, 0), counts["personas"]);
        Assert.Equal(0, counts["personality_owners"].LeftOut);
        // An override that says nothing isn't one.
        Assert.Equal(Enumerable.Range(1, Users).Count(i => i % 4 == 3 && i % 8 != 3), counts["user_personality_settings"].LeftOut);
        Assert.Equal((Users, Users - (Users / 10), 0, Users / 10), counts["conversation_history"]);
        Assert.Equal((6, 6, 0, 0), counts["activated_channels"]);
        var said = (await service.Get("/v1/channels/901/messages?last=1", ("X-Persona-User", early.ToString()))).Should(HttpStatusCode.OK).Json["items"]!.AsArray();
        Assert.Equal($"Message {Enumerable.Range(1, Users).Last(i => i % 3 == 1 && i % 10 != 0)}", (string)Assert.Single(said)!["content"]!);
        await Replay.ShouldGive(room.Node, $"catalogue:{tenant}", before, (await admin.Get("/v1/catalogue")).Json, tenant);

        // Everybody has one default persona of their own, everything has its owner, and what was long is long.
        Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"""
            SELECT count(*) FROM users u WHERE tenant_id = '{tenant}' AND (SELECT count(*) FROM user_default_personas d WHERE d.tenant_id = u.tenant_id AND d.user_id = u.id) <> 1
            """));
        Assert.Equal(5000, await Sql.Ask<int>(room.Database.Superuser, $"SELECT length(content) FROM personas WHERE tenant_id = '{tenant}' AND id = md5('own 5')::uuid"));
        Assert.Equal(4, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM personas WHERE tenant_id = '{tenant}' AND owner_id = md5('user 1')::uuid AND name LIKE 'Nobody%'"));
        Assert.Equal("12:05:00+00", await Sql.Ask<string>(room.Database.Superuser, $"SELECT (created_at AT TIME ZONE 'UTC')::time::text || '+00' FROM users WHERE tenant_id = '{tenant}' AND id = '{later}'"));

        // Whoever was in memory knows.
        (await service.Get($"/v1/users/{later}")).Should(HttpStatusCode.OK);
        var prompt = (await service.Get($"/v1/personalities/{character}/prompt?user={early}")).Should(HttpStatusCode.OK).Json;
        Assert.Contains("I am 1", (string)prompt["systemPrompt"]!);
        Assert.StartsWith("Two.", (await service.Get($"/v1/personalities/{character}/prompt?user={later}&format=text")).Text);

        // All that had to change is told.
        var job = Guid.Parse((string)done["id"]!);
        Assert.Equal(
            (await Notes(job, tenant)).Select(note => note.ToJsonString()).Order(StringComparer.Ordinal),
            (await Notes(Guid.Parse((string)dry["id"]!), tenant)).Select(note => note.ToJsonString()).Order(StringComparer.Ordinal));
        var notes = (await Notes(job, tenant)).ToLookup(note => $"{note["table"]}.{((string)note["field"]!).Split(' ')[0]}");
        Assert.Equal((long)done["report"]!["notes"]!, notes.Sum(some => some.Count()));
        foreach (var expected in (string[])["users.username", "users.id", "personas.name", "personas.owner_id", "personas.content", "personalities.slug", "personalities.context_window_size",
            "personality_owners.role", "llm_configs.name", "llm_configs.temperature", "llm_configs.model", "llm_configs.is_free_default", "system_prompts.name"])
        {
            Assert.True(notes.Contains(expected), $"nothing is said of {expected}");
        }

        var everything = await Sql.Ask<string>(room.Database.Superuser, Everything(tenant));
        var told = await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM events WHERE tenant_id = '{tenant}' AND stream NOT LIKE 'job:%'");
        var again = Counts(await Import(tenant, from, "discord:10000000000000001"));
        Assert.All(again, table => Assert.Equal(0, table.Value.Created));
        Assert.Equal(everything, await Sql.Ask<string>(room.Database.Superuser, Everything(tenant)));
        Assert.Equal(told, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM events WHERE tenant_id = '{tenant}' AND stream NOT LIKE 'job:%'"));
    }

    [Fact]
    public async Task A_failure_in_the_middle_leaves_nothing_and_without_it_the_import_goes_on()
    {
        await using var from = await LegacyDatabase.Create(room.Database, 20);
        var (tenant, admin) = await room.NewTenant();
        using var _ = admin;
        var inTenant = ("X-Persona-Tenant", tenant.ToString());
        // Messages come last; how often it was tried outlives the transaction.
        await Sql.Run(room.Database.Superuser, $"""
            CREATE SEQUENCE tried;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM nextval('public.tried'); RAISE 'not this one'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON conversation_history FOR EACH ROW WHEN (NEW.tenant_id = '{tenant}') EXECUTE FUNCTION refuse();
            """);
        var job = (await room.Operator.Post("/v1/imports/legacy", new { from = from.ConnectionString, orphansTo = "discord:10000000000000001" }, inTenant)).Should(HttpStatusCode.Created).Id;
        await Eventually.True("it has failed twice", async () => await Sql.Ask<long>(room.Database.Superuser, "SELECT last_value FROM tried") >= 2);
        Assert.Equal("running", (string)(await room.Operator.Get($"/v1/jobs/{job}", inTenant)).Json["status"]!);
        Assert.Equal("nothing", await Sql.Ask<string>(room.Database.Superuser, $"SELECT coalesce(({Everything(tenant)}), 'nothing')"));
        Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM events WHERE tenant_id = '{tenant}' AND stream NOT LIKE 'job:%' AND stream NOT LIKE 'tenant:%'"));

        await Sql.Run(room.Database.Superuser, "DROP TRIGGER refuse ON conversation_history; DROP FUNCTION refuse(); DROP SEQUENCE tried");
        Assert.Equal((20, 20, 0, 0), Counts(await Ended(room.Operator, job, inTenant))["users"]);
    }

    private async Task<List<JsonNode>> Notes(Guid job, Guid tenant)
    {
        var notes = new List<JsonNode>();
        var after = "";
        do
        {
            var page = (await room.Operator.Get($"/v1/jobs/{job}/notes?limit=200&after={Uri.EscapeDataString(after)}", ("X-Persona-Tenant", tenant.ToString()))).Should(HttpStatusCode.OK).Json;
            notes.AddRange(page["items"]!.AsArray()!);
            after = (string?)page["next"] ?? "";
        }
        while (after.Length > 0);
        return notes;
    }

    [Fact]
    public async Task A_source_that_cannot_be_read_is_said()
    {
        var (tenant, admin) = await room.NewTenant();
        using var _ = admin;
        var inTenant = ("X-Persona-Tenant", tenant.ToString());
        async Task<string> Code(string from) =>
            (string)(await Ended(room.Operator, (await room.Operator.Post("/v1/imports/legacy", new { from }, inTenant)).Should(HttpStatusCode.Created).Id, inTenant))["failure"]!["code"]!;
        Assert.Equal("source_unreadable", await Code("Nonsense=1"));
        Assert.Equal("source_unreadable", await Code(room.Database.Superuser + ";Password=wrong;Username=nobody"));
        (await room.Operator.Post("/v1/imports/legacy", new { }, inTenant)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await admin.Post("/v1/imports/legacy", new { from = "Host=x" })).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
    }

    [Fact]
    public async Task Killed_wherever_it_is_it_ends_with_the_same()
    {
        await using var database = await TestDatabase.Create();
        await using var from = await LegacyDatabase.Create(database, Soak.Of(80, 10_000));
        var node = await ProcessNode.Start(database);
        try
        {
            string key;
            await using (var direct = new Database(new DatabaseLogins(database.App, database.Worker), NullLoggerFactory.Instance))
            {
                await direct.RefreshEpoch(CancellationToken.None);
                key = await KeyWriter.Create(direct, null, ApiKeyKind.Operator, "operator", null, false, TimeProvider.System, CancellationToken.None);
            }

            Guid job, tenant, other;
            using (var operators = node.Client(key))
            {
                tenant = (await operators.Post("/v1/tenants", new { name = "killed" })).Should(HttpStatusCode.Created).Id;
                other = (await operators.Post("/v1/tenants", new { name = "quiet" })).Should(HttpStatusCode.Created).Id;
                job = (await operators.Post("/v1/imports/legacy", new { from = from.ConnectionString, orphansTo = "discord:10000000000000001" }, ("X-Persona-Tenant", tenant.ToString()))).Should(HttpStatusCode.Created).Id;
            }

            for (var kill = 1; ; kill++)
            {
                var share = Random.Shared.NextDouble();
                using (var watching = node.Client(key))
                {
                    await Eventually.True($"{share:p0} of it is read", async () =>
                    {
                        var now = (await watching.Get($"/v1/jobs/{job}", ("X-Persona-Tenant", tenant.ToString()))).Should(HttpStatusCode.OK).Json;
                        return (string?)now["status"] != "running" || (long?)now["total"] is { } total && (long)now["done"]! >= share * total;
                    }, TimeSpan.FromMinutes(2));
                }

                await node.Kill();
                if (kill == Soak.Of(1, 6))
                {
                    break;
                }

                await node.DisposeAsync();
                node = await ProcessNode.Start(database);
            }

            await using var last = await Node.Succeed(database);
            using var again = last.Client(key);
            var killed = await Ended(again, job, ("X-Persona-Tenant", tenant.ToString()));
            var quiet = await Ended(again, (await again.Post("/v1/imports/legacy", new { from = from.ConnectionString, orphansTo = "discord:10000000000000001" }, ("X-Persona-Tenant", other.ToString())))
                .Should(HttpStatusCode.Created).Id, ("X-Persona-Tenant", other.ToString()));
            Assert.Equal(quiet["report"]!.ToJsonString(), killed["report"]?.ToJsonString());
            Assert.Equal(await Sql.Ask<string>(database.Superuser, Everything(other)), await Sql.Ask<string>(database.Superuser, Everything(tenant)));
        }
        finally
        {
            await node.DisposeAsync();
        }
    }
}
