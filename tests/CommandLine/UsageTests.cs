using Microsoft.Extensions.Hosting;
using PersonaActors.Silo.CommandLine;
using PersonaActors.Silo.Configuration;
using static PersonaActors.Tests.CommandLine.Terminal;

namespace PersonaActors.Tests.CommandLine;

/// <summary>What is asked of the executable that needs no database.</summary>
public sealed class UsageTests
{
    private static readonly (string Name, string Value)[] Nowhere =
        [.. ((string[])["APP", "WORKER", "MIGRATOR"]).Select(login => ($"PERSONA__DATABASE__{login}", "Host=127.0.0.1;Port=1;Username=x"))];

    [Fact]
    public async Task What_is_not_understood_is_said_and_ends_with_two()
    {
        Assert.Equal(2, (await RunProcess("", [])).Code);
        Assert.Equal(2, (await Run()).Code);
        Assert.Equal(2, (await Run("keys")).Code);
        Assert.Equal(2, (await Run("epoch")).Code);
        await IsMisuse(Nowhere, "'dance'", "dance");
        await IsMisuse(Nowhere, "--quickly", "migrate", "--quickly");
        await IsMisuse(Nowhere, "--name", "keys", "create", "--operator");
        await IsMisuse(Nowhere, "'robot'", "keys", "create", "--tenant", "acme", "--kind", "robot", "--name", "x");
        await IsMisuse(Nowhere, "'seven'", "keys", "revoke", "seven");
        await IsMisuse(Nowhere, "--Persona:Url=", "serve", "--Persona:Url", "http://localhost:8000");
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

    [Theory]
    [InlineData("Persona:Colour=red", "There is no setting Persona:Colour")]
    [InlineData("Persona:Database:Migrator=", "Persona:Database:Migrator is not set")]
    [InlineData("Persona:Database:Migrator=nonsense", "Persona:Database:Migrator is no PostgreSQL connection string")]
    public async Task A_setting_that_cannot_be_is_named_where_nothing_serves(string setting, string says)
    {
        foreach (var command in (string[][])[["migrate"], ["epoch", "bump"]])
        {
            var refused = await Run(Nowhere, [.. command, $"--{setting}"]);
            Assert.Equal(1, refused.Code);
            Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_database_that_is_away_is_said_with_the_cure()
    {
        foreach (var away in (Ended[])[await RunProcess("", Nowhere, "keys", "list"), await Run(Nowhere, "keys", "list")])
        {
            Assert.Equal(1, away.Code);
            Assert.Contains("./run", away.Error, StringComparison.Ordinal);
            Assert.Empty(away.Output);
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
    [InlineData("Persona:Database:Migrator=nonsense", "Persona:Auth=on", "Persona:Database:Migrator is no PostgreSQL connection string")]
    public async Task A_setting_that_cannot_be_is_named_and_the_node_does_not_start(string one, string other, string says)
    {
        var refused = await Run(Nowhere, "serve", $"--{one}", $"--{other}");
        Assert.Equal(1, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
    }
}
