using System.CommandLine;
using System.Reflection;
using Npgsql;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

/// <summary>Looks at what a node needs, one line each, and says the cure of what is wrong.</summary>
public static class DoctorCommand
{
    public static readonly Option<bool> Sql = new("--sql") { Description = "Print the statements that a superuser runs once for a database of your own" };

    private sealed record Finding(string What, bool Ok, string Says);

    public static async Task<int> Run(ParseResult given, CancellationToken cancel)
    {
        if (given.GetValue(Sql))
        {
            using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("roles.sql")!);
            await given.InvocationConfiguration.Output.WriteLineAsync(await reader.ReadToEndAsync(cancel));
            return 0;
        }

        var settings = Settings.Read(given.Configuration(), serves: false);
        var findings = new List<Finding> { new("settings", true, "understood") };
        await Login(findings, "app login", settings.AppDatabase, cancel);
        await Login(findings, "worker login", settings.WorkerDatabase, cancel);
        if (settings.MigratorDatabase is { } migrator)
        {
            await Login(findings, "migrator login", migrator, cancel);
        }

        if (findings.TrueForAll(f => f.Ok))
        {
            await Inside(findings, settings.AppDatabase, cancel);
        }

        given.Print(new { findings }, string.Join('\n', findings.Select(f => $"{(f.Ok ? "ok  " : "BAD ")} {f.What}: {f.Says}")));
        return findings.TrueForAll(f => f.Ok) ? 0 : 1;
    }

    private const string RoleSql = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";

    private static async Task Login(List<Finding> findings, string what, string connectionString, CancellationToken cancel)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var command = source.CreateCommand(RoleSql);
            var mighty = (bool)(await command.ExecuteScalarAsync(cancel))!;
            findings.Add(mighty
                ? new Finding(what, false, "is a superuser or bypasses row-level security: use the logins that 'doctor --sql' makes")
                : new Finding(what, true, "connects, and is subject to row-level security"));
        }
        catch (NpgsqlException e)
        {
            findings.Add(new Finding(what, false, e.Message));
        }
    }

    private static async Task Inside(List<Finding> findings, string connectionString, CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync(cancel);
        findings.Add(new Finding("PostgreSQL", connection.PostgreSqlVersion.Major >= 15, $"version {connection.PostgreSqlVersion}, 15 or newer is needed"));
        await using (var command = new NpgsqlCommand("SELECT extversion FROM pg_extension WHERE extname = 'vector'", connection))
        {
            var version = await command.ExecuteScalarAsync(cancel) as string;
            findings.Add(new Finding("pgvector", version is not null, version ?? "missing: a superuser runs CREATE EXTENSION vector (see 'doctor --sql')"));
        }

        try
        {
            var missing = await Migrator.Missing(source, cancel);
            findings.Add(new Finding("migrations", missing.Count == 0, missing.Count == 0 ? "up to date" : $"missing {string.Join(", ", missing)}: run 'personactors migrate'"));
        }
        catch (MigrationException e)
        {
            findings.Add(new Finding("migrations", false, e.Message));
        }
    }
}
