using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

/// <summary>The database of a command: reachable, and with the schema that this build expects.</summary>
public static class OpenedDatabase
{
    public static async Task<Database> Open(Settings settings, CancellationToken cancel)
    {
        var database = new Database(new DatabaseLogins(settings.AppDatabase, settings.WorkerDatabase), NullLoggerFactory.Instance);
        var missing = await Migrator.Missing(database.Worker, cancel);
        if (missing.Count > 0)
        {
            throw new MigrationException($"The database lacks {string.Join(", ", missing)}: run 'personactors migrate', or give this node the migrator's login.");
        }

        await database.RefreshEpoch(cancel);
        return database;
    }
}
