using System.IO.Compression;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Events;
using PersonaActors.Storage.Imports;

namespace PersonaActors.Tests.Imports;

/// <summary>What a user takes along is everything of theirs, and elsewhere makes the same prompts.</summary>
public sealed class ArchiveTests
{
    [Fact]
    public async Task An_archive_gives_the_same_prompts_in_an_empty_tenant()
    {
        await using var database = await TestDatabase.Create();
        var clock = FakeTime.Start();
        await using var node = await Node.Start(database, clock);
        using var admin = node.Client(await node.AdminKey());
        using var operators = node.Client(await node.OperatorKey());
        var (ada, ben) = (await admin.Register("ada"), await admin.Register("ben"));
        using var adas = node.Client(await node.UserKey(ada));
        using var bens = node.Client(await node.UserKey(ben));
        async Task<Guid> Make(ApiClient by, string path, object body) => (await by.Post(path, body)).Should(HttpStatusCode.Created).Id;

        var system = await Make(admin, "/v1/system-prompts", new { name = "default", content = "You are {{char}}.", isDefault = true });
        await Make(admin, "/v1/focus-modes", new { modeName = "sailor", displayName = "Sailor", systemPrompt = "Speak of the sea." });
        (await admin.Patch("/v1/tenant/settings", new { maxMessages = 7, maxAge = "off" })).Should(HttpStatusCode.OK);
        var config = await Make(adas, "/v1/llm-configs", new { name = "mine", model = "m", temperature = 0.1 });
        var persona = await Make(adas, "/v1/personas", new { name = "Captain", content = "I command, at {{time}}.", pronouns = "she/her" });
        await Make(adas, "/v1/personalities", new { name = "Own", slug = "own", characterInfo = "Hers.", personalityTraits = "dry", customFields = new { z = 1.50, a = (string?)null } });
        await Make(bens, "/v1/personalities", new { name = "Open", slug = "open", characterInfo = "Everybody's.", personalityTraits = "", isPublic = true, definitionPublic = true, systemPromptId = system });
        await Make(bens, "/v1/personalities", new { name = "Hidden", slug = "hidden", characterInfo = "SECRET", personalityTraits = "", isPublic = true });
        (await adas.Put($"/v1/users/{ada}/overrides/own", new { personaId = persona, llmConfigId = config })).Should(HttpStatusCode.OK);
        (await adas.Put($"/v1/users/{ada}/overrides/hidden", new { personaId = persona })).Should(HttpStatusCode.OK);
        (await adas.Patch($"/v1/users/{ada}/settings", new { memoryLimit = 3 })).Should(HttpStatusCode.OK);
        await Make(adas, "/v1/user-personas", new { name = "Helper", systemPrompt = "Help." });
        await Make(adas, "/v1/narratives", new { text = "I sail at dawn, when the harbour is quiet.", traits = new { likes = "sailing" } });
        var session = await Make(adas, "/v1/focus/sessions", new { mode = "deep" });
        clock.Advance(TimeSpan.FromMinutes(20));
        (await adas.Post($"/v1/focus/sessions/{session}/end", null)).Should(HttpStatusCode.OK);
        await Eventually.True("the session is remembered", async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return (await adas.Get($"/v1/people/{ada}/memories")).Json["items"]!.AsArray().Count == 1;
        });
        var live = await Make(adas, "/v1/focus/sessions", new { mode = "deep" });

        var job = (await adas.Post($"/v1/users/{ada}/export", null)).Should(HttpStatusCode.Created).Id;
        Assert.Equal("done", (string)(await LegacyTests.Ended(adas, job))["status"]!);
        (await bens.Get($"/v1/jobs/{job}/file")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
        using var http = new HttpClient { BaseAddress = node.Address, DefaultRequestHeaders = { { "Authorization", $"Bearer {await node.UserKey(ada)}" } } };
        var file = await http.GetByteArrayAsync($"/v1/jobs/{job}/file");
        using (var zip = new ZipArchive(new MemoryStream(file)))
        {
            foreach (var entry in zip.Entries)
            {
                using var text = new StreamReader(entry.Open());
                var content = await text.ReadToEndAsync();
                Assert.False(content.Contains("SECRET") || content.Contains(ben.ToString()), $"{entry.FullName} tells of somebody else");
            }

            Assert.NotNull(zip.GetEntry("tables/user_personas.json"));
        }

        var tenant = (await operators.Post("/v1/tenants", new { name = "elsewhere" })).Should(HttpStatusCode.Created).Id;
        var there = ("X-Persona-Tenant", tenant.ToString());
        using var service = node.Client(await node.ServiceKey(tenant));
        (await service.Get($"/v1/users/{ada}")).Should(HttpStatusCode.NotFound);
        var dry = await LegacyTests.Ended(operators, (await operators.Post("/v1/imports/archive?dryRun=true", file, there)).Should(HttpStatusCode.Created).Id, there);
        Assert.True((bool)dry["report"]!["dryRun"]!);
        // Whoever asked too early is answered anew.
        foreach (var path in (string[])[$"/v1/users/{ada}", $"/v1/mindscapes/{ada}", $"/v1/people/{ada}/memories", $"/v1/focus/sessions/{live}"])
        {
            (await service.Get(path)).Should(HttpStatusCode.NotFound);
        }

        var restored = await LegacyTests.Ended(operators, (await operators.Post("/v1/imports/archive", file, there)).Should(HttpStatusCode.Created).Id, there);
        Assert.True((string)restored["status"]! == "done", restored.ToJsonString());
        Assert.Equal(restored["report"]!["rows"]!.ToJsonString(), dry["report"]!["rows"]!.ToJsonString());
        using var here = node.Client(await node.ServiceKey());
        foreach (var path in (string[])["own", "open", "own?focusMode=sailor"])
        {
            var asked = $"/v1/personalities/{path.Replace("?", "/prompt?")}{(path.Contains('?') ? "&" : "/prompt?")}user={ada}";
            foreach (var format in (string[])["text", "openai"])
            {
                Assert.Equal((await here.Get($"{asked}&format={format}")).Should(HttpStatusCode.OK).Text, (await service.Get($"{asked}&format={format}")).Should(HttpStatusCode.OK).Text);
            }

            var (before, after) = ((await here.Get(asked)).Json, (await service.Get(asked)).Json);
            foreach (var part in (string[])["systemPrompt", "messages", "llm", "settings", "sources"])
            {
                Assert.Equal(before[part]!.ToJsonString(), after[part]!.ToJsonString());
            }
        }

        // What was said is found by its meaning here too.
        await Eventually.True("the narrative has its vector", async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return await Sql.Ask<long>(database.Superuser, $"SELECT count(*) FROM narrative_vectors WHERE tenant_id = '{tenant}'") == 1;
        });

        foreach (var path in (string[])[$"/v1/focus/sessions/{session}", $"/v1/focus/sessions/{live}", $"/v1/mindscapes/{ada}", $"/v1/focus/sessions/{session}/events", $"/v1/people/{ada}/memories", $"/v1/narratives?person={ada}"])
        {
            // Where its stream stands is another tenant's.
            var (restoredOne, original) = ((await service.Get(path)).Should(HttpStatusCode.OK).Json, (await here.Get(path)).Should(HttpStatusCode.OK).Json);
            Assert.True(restoredOne.Remove("cursor") == original.Remove("cursor"));
            Assert.Equal(original.ToJsonString(), restoredOne.ToJsonString());
        }

        (await service.Get("/v1/personalities/hidden")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        var again = await LegacyTests.Ended(operators, (await operators.Post("/v1/imports/archive", file, there)).Should(HttpStatusCode.Created).Id, there);
        Assert.Equal("tenant_not_empty", (string)again["failure"]!["code"]!);
        (await operators.Post("/v1/imports/archive", new byte[] { 1, 2, 3 }, there)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_archive");

        // A day later it is gone, and with its user everything of it.
        clock.Advance(TimeSpan.FromHours(23));
        (await admin.Get($"/v1/jobs/{job}")).Should(HttpStatusCode.OK);
        Assert.Equal(file, await http.GetByteArrayAsync($"/v1/jobs/{job}/file"));
        clock.Advance(TimeSpan.FromHours(2));
        (await adas.Get($"/v1/jobs/{job}/file")).ShouldRefuse(HttpStatusCode.Gone, "archive_expired");
        await node.Services.GetRequiredService<Pruner>().Prune(CancellationToken.None);
        Assert.Equal(0, await Sql.Ask<long>(database.Superuser, $"SELECT count(*) FROM job_files WHERE job_id = '{job}'"));
        (await adas.Get($"/v1/jobs/{job}/file")).ShouldRefuse(HttpStatusCode.Gone, "archive_expired");
    }

    /// <summary>Those that are not are made anew of the others, or speak of work that this service has with the user.</summary>
    [Fact]
    public async Task No_table_of_a_user_is_left_out()
    {
        await using var database = await TestDatabase.Create();
        var theirs = await Sql.Ask<string[]>(database.Superuser, """
            SELECT array_agg(DISTINCT c.relname::text) FROM pg_class c
            JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confdeltype = 'c'
            WHERE c.relnamespace = 'public'::regnamespace AND EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'person_id', 'owner_id') AND NOT a.attisdropped)
            """);
        string[] notTheirs = ["narrative_vectors", "jobs", "job_files", "api_keys", "command_log", "events", "streams"];
        Assert.Equal(theirs!.Except(notTheirs).Order(), ArchiveTables.All.Select(table => table.Name).Intersect(theirs!).Order());
    }

    [Fact]
    public async Task With_its_user_an_archive_goes()
    {
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database);
        using var admin = node.Client(await node.AdminKey());
        var ada = await admin.Register("ada");
        var job = (await admin.Post($"/v1/users/{ada}/export", null)).Should(HttpStatusCode.Created).Id;
        await LegacyTests.Ended(admin, job);
        Assert.Equal(1, await Sql.CountAsApp(database, node.Demo, ada, null, "SELECT count(*) FROM job_files"));
        Assert.Equal(0, await Sql.CountAsApp(database, node.Demo, Guid.NewGuid(), null, "SELECT count(*) FROM job_files"));
        (await admin.Delete($"/v1/users/{ada}")).Should(HttpStatusCode.NoContent);
        (await admin.Get($"/v1/jobs/{job}/file")).ShouldRefuse(HttpStatusCode.NotFound, "job_not_found");
        Assert.Equal(0, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM job_files"));
    }
}
