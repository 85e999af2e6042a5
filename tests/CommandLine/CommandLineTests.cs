using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
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
        var unknown = await Run("dance");
        Assert.Equal(2, unknown.Code);
        Assert.Contains("'dance'", unknown.Error, StringComparison.Ordinal);
        var option = await Run("migrate", "--quickly");
        Assert.Equal(2, option.Code);
        Assert.Contains("--quickly", option.Error, StringComparison.Ordinal);
        var help = await Run("keys", "--help");
        Assert.Equal(0, help.Code);
        Assert.Contains("keys create --operator", help.Output, StringComparison.Ordinal);
    }

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

    [Theory]
    [InlineData("Persona:Auth=off", "Persona:Url=http://0.0.0.0:8000", "Persona:Auth is off")]
    [InlineData("Persona:Auth=maybe", "Persona:Url=http://localhost:8000", "Persona:Auth is 'maybe'")]
    [InlineData("Persona:Url=nowhere", "Persona:Auth=on", "Persona:Url is 'nowhere'")]
    [InlineData("Persona:Colour=red", "Persona:Auth=on", "There is no setting Persona:Colour")]
    [InlineData("Persona:Limits:RequestsPerMinute=-1", "Persona:Auth=on", "Persona:Limits:RequestsPerMinute is '-1'")]
    [InlineData("Persona:AllowedOrigins=https://a/b", "Persona:Auth=on", "'https://a/b'")]
    [InlineData("Persona:Database:App=nonsense", "Persona:Auth=on", "Persona:Database:App is no PostgreSQL connection string")]
    [InlineData("Persona:Database:Worker=", "Persona:Auth=on", "Persona:Database:Worker is not set")]
    public async Task A_setting_that_cannot_be_is_named_and_the_node_does_not_start(string one, string other, string says)
    {
        var refused = await RunOn(_database, "serve", $"--{one}", $"--{other}");
        Assert.Equal(1, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
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

    private static async Task<Ended> Run((string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProcessNode.Executable, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
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
