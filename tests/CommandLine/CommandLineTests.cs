using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using PersonaActors.Silo.CommandLine;
using PersonaActors.Silo.Configuration;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.CommandLine;

/// <summary>The executable as an operator runs it.</summary>
public sealed class CommandLineTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    private sealed record Ended(int Code, string Output, string Error);

    [Fact]
    public async Task What_is_not_understood_is_said_and_ends_with_two()
    {
        Assert.Equal(2, (await Run()).Code);
        Assert.Equal(2, (await Run("keys")).Code);
        Assert.Equal(2, (await Run("epoch")).Code);
        await IsMisuse("'dance'", "dance");
        await IsMisuse("--quickly", "migrate", "--quickly");
        await IsMisuse("--name", "keys", "create", "--operator");
        await IsMisuse("'robot'", "keys", "create", "--tenant", "acme", "--kind", "robot", "--name", "x");
        await IsMisuse("'seven'", "keys", "revoke", "seven");
        await IsMisuse("--Persona:Url=", "serve", "--Persona:Url", "http://localhost:8000");
    }

    [Theory]
    [InlineData("keys create", "--help")]
    [InlineData("--operator", "keys", "create", "--help")]
    [InlineData("--sql", "doctor", "--help")]
    [InlineData("--json", "migrate", "--help")]
    [InlineData("--data", "seed", "-h")]
    [InlineData("ready <address>", "serve", "--help")]
    [InlineData("restore", "epoch", "--help")]
    [InlineData("doctor", "help")]
    public async Task Every_command_tells_about_itself(string says, params string[] arguments)
    {
        var help = await Run(arguments);
        Assert.Equal(0, help.Code);
        Assert.Contains(says, help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("personactors ke", "keys")]
    [InlineData("personactors keys c", "create")]
    [InlineData("personactors keys create --kind s", "service")]
    public async Task A_shell_is_told_how_a_line_goes_on(string line, string word) =>
        Assert.Contains(word, (await Run($"[suggest:{line.Length}]", line)).Output.Split('\n'));

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
    public async Task A_key_made_on_the_command_line_opens_a_serving_node_and_revoked_there_closes_it()
    {
        await using var node = await Node.Start(_database);
        var made = Json(await RunOn(_database, "keys", "create", "--operator", "--name", "ops", "--json"));
        using var operators = node.Client((string)made["key"]!);
        var tenant = (await operators.Post("/v1/tenants", new { name = "acme" })).Should(HttpStatusCode.Created);
        var service = Json(await RunOn(_database, "keys", "create", "--tenant", "acme", "--kind", "service", "--name", "bot", "--json"));
        using var bot = node.Client((string)service["key"]!);
        (await bot.Post("/v1/users", new { username = "ada" })).Should(HttpStatusCode.Created);

        var listed = Json(await RunOn(_database, "keys", "list", "--tenant", tenant.Id.ToString(), "--json"))["keys"]!.AsArray();
        var id = (string)Assert.Single(listed)!["id"]!;
        Assert.Equal(0, (await RunOn(_database, "keys", "revoke", id)).Code);
        await Eventually.True("the serving node knows of the revocation", async () =>
            (await bot.Get("/v1/users")).Status == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_key_is_revoked_where_its_id_follows_a_switch()
    {
        await RunOn(_database, "keys", "create", "--operator", "--name", "ops");
        var id = (string)Assert.Single(Json(await RunOn(_database, "keys", "list", "--json"))["keys"]!.AsArray())!["id"]!;
        Assert.Equal(id, (string)Json(await RunOn(_database, "keys", "revoke", "--json", id))["revoked"]!);
        Assert.Equal(id, (string)Json(await RunOn(_database, "keys", "revoke", "--json", id))["revoked"]!);
        var unknown = await RunOn(_database, "keys", "revoke", Guid.NewGuid().ToString());
        Assert.Equal(1, unknown.Code);
        Assert.Contains("There is no key", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_keys_are_listed_where_no_tenant_is_named()
    {
        var tenant = (Guid)Json(await RunOn(_database, "seed", "--json"))["tenant"]!;
        await RunOn(_database, "keys", "create", "--operator", "--name", "ops");
        await RunOn(_database, "keys", "create", "--tenant", "demo", "--kind", "service", "--name", "bot");
        Assert.Equal(["/ops", "demo/bot", "demo/demo"], await Listed());
        Assert.Equal(["/ops"], await Listed("--operator"));
        Assert.Equal(["demo/bot", "demo/demo"], await Listed("--tenant", "demo"));
        Assert.Equal(["demo/bot", "demo/demo"], await Listed("--tenant", tenant.ToString()));
        await IsMisuse("no tenant 'nobody'", "keys", "list", "--tenant", "nobody");
        await IsMisuse("no tenant '00000000-0000-0000-0000-000000000001'", "keys", "list", "--tenant", "00000000-0000-0000-0000-000000000001");

        async Task<string[]> Listed(params string[] whose)
        {
            var keys = Json(await RunOn(_database, ["keys", "list", "--json", .. whose]))["keys"]!.AsArray();
            return [.. keys.Select(key => $"{key!["tenantName"]}/{key["name"]}").Order(StringComparer.Ordinal)];
        }
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

    [Fact]
    public async Task A_key_that_contradicts_itself_is_not_made()
    {
        await RunOn(_database, "seed");
        await IsRefused("--operator", "--operator", "--tenant", "alpha", "--kind", "service", "--name", "x");
        await IsRefused("--operator", "--operator", "--tenant", "alpha", "--name", "x");
        await IsRefused("--operator", "--operator", "--kind", "service", "--name", "x");
        await IsRefused("--operator", "--operator", "--user", "565bdb63-124b-4692-a039-846fddceff90", "--name", "x");
        await IsRefused("--operator", "--operator", "--delegate", "--name", "x");
        await IsRefused("--operator", "--kind", "service", "--name", "x");
        await IsRefused("acts as its user", "--tenant", "demo", "--kind", "user", "--user", "565bdb63-124b-4692-a039-846fddceff90", "--delegate", "--name", "x");
        await IsRefused("--kind", "--tenant", "demo", "--name", "x");
        await IsRefused("user", "--tenant", "demo", "--kind", "user", "--name", "x");
        await IsRefused("'name'", "--operator", "--name", "a\u001b[2Jb");
        await IsRefused("'name'", "--operator", "--name", "a\nb");
        Assert.Single(Json(await RunOn(_database, "keys", "list", "--json"))["keys"]!.AsArray());

        Task IsRefused(string says, params string[] arguments) => IsMisuse(says, ["keys", "create", .. arguments]);
    }

    [Fact]
    public async Task A_node_that_serves_no_longer_has_the_migrators_login_in_its_environment()
    {
        await using var node = await ProcessNode.Start(_database);
        var environment = await File.ReadAllTextAsync($"/proc/{node.Id}/environ");
        Assert.Contains("Username=personactors_app", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("personactors_migrator", environment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_in_the_background_that_failed_is_the_nodes_failure()
    {
        using var fails = new Work(Task.FromException(new InvalidOperationException("broken")));
        using var works = new Work(new TaskCompletionSource().Task);
        foreach (var work in (Work[])[fails, works])
        {
            await Record.ExceptionAsync(() => work.StartAsync(CancellationToken.None));
        }

        await Eventually.True("it has failed", () => Task.FromResult(fails.ExecuteTask!.IsFaulted));
        Assert.Equal((0, 1), (ServeCommand.CodeOf([works]), ServeCommand.CodeOf([works, fails])));
    }

    private sealed class Work(Task does) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => does;
    }

    [Fact]
    public async Task Logs_are_lines_of_JSON_where_that_is_set_and_tell_no_key_and_nothing_that_was_said()
    {
        await using var node = await ProcessNode.Start(_database, null, ("PERSONA__LOGS", "json"), ("Logging__LogLevel__Default", "Information"));
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
        var first = Json(await RunIn(place.Path, [], "seed", "--json"));
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
    public void A_data_folder_is_looked_for_where_one_works_then_in_the_checkout_of_the_program()
    {
        using var work = new Folder();
        using var checkout = new Folder();
        var program = Directory.CreateDirectory(Path.Combine(checkout.Path, "artifacts", "bin")).FullName;
        Assert.Null(DataFolder.Find(work.Path, program));
        Make(checkout);
        Assert.Equal(Path.Combine(checkout.Path, ".data"), DataFolder.Find(work.Path, program));
        Make(work);
        Assert.Equal(Path.Combine(work.Path, ".data"), DataFolder.Find(work.Path, program));

        static void Make(Folder place)
        {
            Directory.CreateDirectory(Path.Combine(place.Path, ".data"));
            File.WriteAllText(Path.Combine(place.Path, ".data", "database.env"), "");
        }
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

    [Theory]
    [InlineData("Persona:Colour=red", "There is no setting Persona:Colour")]
    [InlineData("Persona:Database:Migrator=", "Persona:Database:Migrator is not set")]
    [InlineData("Persona:Database:Migrator=nonsense", "Persona:Database:Migrator is no PostgreSQL connection string")]
    public async Task A_setting_that_cannot_be_is_named_where_nothing_serves(string setting, string says)
    {
        foreach (var command in (string[][])[["migrate"], ["epoch", "bump"]])
        {
            var refused = await RunOn(_database, [.. command, $"--{setting}"]);
            Assert.Equal(1, refused.Code);
            Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_database_that_is_away_is_said_with_the_cure()
    {
        var port = ProcessNode.FreePort();
        var away = await Run([.. Logins(_database).Select(login => (login.Item1, $"Host=127.0.0.1;Port={port};Username=x"))], "keys", "list");
        Assert.Equal(1, away.Code);
        Assert.Contains("./run", away.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Persona:Auth=off", "Persona:Url=http://0.0.0.0:8000", "Persona:Auth is off")]
    [InlineData("Persona:Auth=maybe", "Persona:Url=http://localhost:8000", "Persona:Auth is 'maybe'")]
    [InlineData("Persona:Url=nowhere", "Persona:Auth=on", "Persona:Url is 'nowhere'")]
    [InlineData("Persona:Colour=red", "Persona:Auth=on", "There is no setting Persona:Colour")]
    [InlineData("Persona:Limits:RequestsPerMinute=-1", "Persona:Auth=on", "Persona:Limits:RequestsPerMinute is '-1'")]
    [InlineData("Persona:AllowedOrigins=https://a/b", "Persona:Auth=on", "'https://a/b'")]
    [InlineData("Persona:Database:App=nonsense", "Persona:Auth=on", "Persona:Database:App is no PostgreSQL connection string")]
    [InlineData("Persona:Database:Worker=", "Persona:Auth=on", "Persona:Database:Worker is not set")]
    [InlineData("Persona:Database:Migrator=nonsense", "Persona:Auth=on", "Persona:Database:Migrator is no PostgreSQL connection string")]
    public async Task A_setting_that_cannot_be_is_named_and_the_node_does_not_start(string one, string other, string says)
    {
        var refused = await RunOn(_database, "serve", $"--{one}", $"--{other}");
        Assert.Equal(1, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
    }

    private async Task IsMisuse(string says, params string[] arguments)
    {
        var misused = await RunOn(_database, arguments);
        Assert.True(misused.Code == 2, $"ended with {misused.Code}: {misused.Output}{misused.Error}");
        Assert.Contains(says, misused.Error, StringComparison.Ordinal);
        Assert.Empty(misused.Output);
    }

    /// <summary>A place of the test's own.</summary>
    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("personactors-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);

        /// <summary>The logins as ./run writes them.</summary>
        public Task Keep(string folder, TestDatabase database)
        {
            Directory.CreateDirectory(System.IO.Path.Combine(Path, folder));
            return File.WriteAllLinesAsync(System.IO.Path.Combine(Path, folder, "database.env"), Logins(database).Select(login => $"{login.Item1}='{login.Item2}'"));
        }
    }

    private static JsonObject Json(Ended ended)
    {
        Assert.True(ended.Code == 0, ended.Output + ended.Error);
        return JsonNode.Parse(ended.Output)!.AsObject();
    }

    private static (string, string)[] Logins(TestDatabase database) =>
    [
        ("PERSONA__DATABASE__APP", database.App),
        ("PERSONA__DATABASE__WORKER", database.Worker),
        ("PERSONA__DATABASE__MIGRATOR", database.Migrator),
    ];

    private static Task<Ended> Run(params string[] arguments) => Run([], arguments);

    private static Task<Ended> RunOn(TestDatabase database, params string[] arguments) => Run(Logins(database), arguments);

    private static Task<Ended> Run((string Name, string Value)[] environment, params string[] arguments) => RunIn("", environment, arguments);

    private static async Task<Ended> RunIn(string folder, (string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProcessNode.Executable, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw new TimeoutException($"waited 30 s for 'personactors {string.Join(' ', arguments)}' to end");
        }

        return new Ended(process.ExitCode, await output, await error);
    }
}
