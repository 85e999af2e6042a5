using System.Text.Json.Nodes;
using static PersonaActors.Tests.CommandLine.Terminal;

namespace PersonaActors.Tests.CommandLine;

/// <summary>The executable as an operator runs it on a database.</summary>
[Long]
public sealed class CommandLineTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_fresh_database_is_migrated_once_and_the_doctor_finds_it_well()
    {
        await using var empty = await TestDatabase.CreateEmpty();
        var sick = await RunOn(empty, "doctor");
        Assert.Equal(1, sick.Code);
        Assert.Contains("migrations", sick.Output, StringComparison.Ordinal);
        Assert.NotEmpty(Json(await RunOn(empty, "migrate", "--json"))["applied"]!.AsArray());
        Assert.Empty(Json(await RunOn(empty, "migrate", "--json"))["applied"]!.AsArray());
        var well = await RunOn(empty, "doctor");
        Assert.True(well.Code == 0, well.Output + well.Error);
        Assert.Contains("personactors_app", (await RunOn(empty, "doctor", "--sql")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_finds_a_login_that_passes_by_row_level_security()
    {
        var sick = await Run([("PERSONA__DATABASE__APP", _database.Superuser), ("PERSONA__DATABASE__WORKER", _database.Worker)], "doctor");
        Assert.Equal(1, sick.Code);
        Assert.Contains("bypasses row-level security", sick.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_tenants_first_prompt_names_a_model()
    {
        await RunOn(_database, "seed");
        await using var node = await Node.Start(_database);
        using var admin = node.Client(await node.AdminKey());
        var user = await admin.Register("ada");
        (await admin.Post("/v1/personalities", new { name = "Lila", slug = "lila", characterInfo = "", personalityTraits = "", isPublic = true }, ("X-Persona-User", user.ToString())))
            .Should(HttpStatusCode.Created);
        var prompt = (await admin.Get($"/v1/personalities/lila/prompt?user={user}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal("tenant-default", (string)prompt["sources"]!["llm"]!["model"]!);
        var config = (await admin.Get("/v1/llm-configs?search=demo")).Json["items"]!.AsArray().Single()!;
        Assert.Equal((string)config["model"]!, (string)prompt["llm"]!["model"]!);
        (await admin.Patch($"/v1/llm-configs/{config["id"]}", new { model = "mine" })).Should(HttpStatusCode.OK);
        Assert.Equal("mine", (string)(await admin.Post($"/v1/personalities/lila/prompt?user={user}&format=openai", new { message = "Good evening" })).Json["model"]!);
    }

    /// <summary>Its logs are lines of JSON where that is set.</summary>
    [Fact]
    public async Task A_node_that_serves_has_the_migrators_login_no_longer_and_logs_no_key_and_nothing_that_was_said()
    {
        await using var node = await ProcessNode.Start(_database, null, ("PERSONA__LOGS", "json"), ("Logging__LogLevel__Default", "Information"));
        var environment = await File.ReadAllTextAsync($"/proc/{node.Id}/environ");
        Assert.Contains("Username=personactors_app", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("personactors_migrator", environment, StringComparison.Ordinal);
        using var client = node.Client();
        var user = await client.Register("ada");
        (await client.Post("/v1/channels/c/messages", new { role = "user", content = "zanzibar", user })).Should(HttpStatusCode.Created);
        using var wrong = node.Client("pa_" + new string('w', 43));
        (await wrong.Get("/v1/users")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");

        await node.Terminate();
        var lines = node.Output.Split('\n').Where(line => !line.StartsWith("ready ", StringComparison.Ordinal) && !line.StartsWith("migrated ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.NotNull(JsonNode.Parse(line)!["Category"]));
        foreach (var secret in (string[])["zanzibar", node.Key, "pa_www"])
        {
            Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task What_the_run_script_made_is_found_in_the_working_directory()
    {
        using var place = new Folder();
        await place.Keep(".data", _database);
        var first = Json(await RunProcess(place.Path, [], "seed", "--json"));
        var second = Json(await RunIn(place.Path, [], "seed", "--json"));
        Assert.Equal(first.ToJsonString(), second.ToJsonString());
        Assert.Equal((string)first["key"]!, (await File.ReadAllTextAsync(Path.Combine(place.Path, ".data", "key"))).Trim());
        Assert.Equal(0, (await RunIn(place.Path, [], "doctor")).Code);
        Assert.Empty(Json(await RunIn(place.Path, [], "migrate", "--json"))["applied"]!.AsArray());
    }

    [Fact]
    public async Task A_data_folder_that_is_named_goes_before_the_environment_and_one_that_is_found_after_it()
    {
        await using var other = await TestDatabase.Create();
        using var place = new Folder();
        await place.Keep(".data", other);
        await RunIn(place.Path, Logins(_database), "seed");
        Assert.Equal("No keys.", (await RunIn(place.Path, [], "keys", "list")).Output.Trim());
        Assert.Equal("No keys.", (await RunOn(_database, "keys", "list", "--data", Path.Combine(place.Path, ".data"))).Output.Trim());
        var nothing = await RunOn(_database, "keys", "list", "--data", place.Path);
        Assert.Equal(1, nothing.Code);
        Assert.Contains($"./run --data {place.Path}", nothing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_finds_no_connection_free_waits_for_one()
    {
        await Sql.Run(_database.Superuser, $"ALTER DATABASE {_database.Name} CONNECTION LIMIT 0");
        await using var node = ProcessNode.Launch(_database);
        await Eventually.True("it says that it waits", () => Task.FromResult(node.Output.Contains("waiting for the database: 53300", StringComparison.Ordinal)), TimeSpan.FromSeconds(90));
        await Sql.Run(_database.Superuser, $"ALTER DATABASE {_database.Name} CONNECTION LIMIT -1");
        await Eventually.True("it serves", () => Task.FromResult(node.Output.Contains("ready http", StringComparison.Ordinal)), TimeSpan.FromSeconds(90));
        Assert.False(node.HasExited);
    }

    [Fact]
    public async Task A_bump_gives_the_database_another_epoch()
    {
        var one = (string)Json(await RunOn(_database, "epoch", "bump", "--json"))["epoch"]!;
        var two = (string)Json(await RunOn(_database, "epoch", "bump", "--json"))["epoch"]!;
        Assert.NotEqual(one, two);
    }

    [Fact]
    public async Task Seeding_twice_makes_one_demo_tenant_and_keeps_the_key()
    {
        var file = Path.Combine(Path.GetTempPath(), $"personactors-key-{Guid.NewGuid():N}");
        try
        {
            var first = Json(await Run([.. Logins(_database), ("PERSONA__DEMOKEYFILE", file)], "seed", "--json"));
            var second = Json(await Run([.. Logins(_database), ("PERSONA__DEMOKEYFILE", file)], "seed", "--json"));
            Assert.Equal(first.ToJsonString(), second.ToJsonString());
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Seeding_again_without_a_file_makes_no_second_key()
    {
        var first = Json(await RunOn(_database, "seed", "--json"));
        Assert.StartsWith("pa_", (string)first["key"]!, StringComparison.Ordinal);
        var second = Json(await RunOn(_database, "seed", "--json"));
        Assert.Null(second["key"]);
        Assert.Contains("keys create --tenant demo", (await RunOn(_database, "seed")).Output, StringComparison.Ordinal);
        var key = Assert.Single(Json(await RunOn(_database, "keys", "list", "--json"))["keys"]!.AsArray())!;

        await RunOn(_database, "keys", "revoke", (string)key["id"]!);
        Assert.StartsWith("pa_", (string)Json(await RunOn(_database, "seed", "--json"))["key"]!, StringComparison.Ordinal);
    }
}
