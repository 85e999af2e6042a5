using System.CommandLine;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

public static class MigrateCommand
{
    public static async Task<int> Run(ParseResult given, CancellationToken cancel)
    {
        var applied = await Migrator.Migrate(Settings.ReadMigrator(given.Configuration()), Migrator.Embedded, TimeProvider.System, cancel);
        given.Print(new { applied }, applied.Count == 0 ? "The schema is up to date." : $"Applied {string.Join(", ", applied)}.");
        return 0;
    }
}
