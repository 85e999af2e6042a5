using System.CommandLine;
using Npgsql;
using PersonaActors.Silo.Configuration;

namespace PersonaActors.Silo.CommandLine;

/// <summary>A database restored by a file copy keeps PostgreSQL's identity; the counter tells its numbers from the original's.</summary>
public static class EpochCommand
{
    private const string BumpSql = "UPDATE database_epoch SET counter = counter + 1";
    private const string EpochSql = "SELECT current_epoch()";

    public static async Task<int> Bump(ParseResult given, CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(Settings.ReadMigrator(given.Configuration()));
        await using (var bump = source.CreateCommand(BumpSql))
        {
            await bump.ExecuteNonQueryAsync(cancel);
        }

        await using var read = source.CreateCommand(EpochSql);
        var epoch = (string)(await read.ExecuteScalarAsync(cancel))!;
        given.Print(new { epoch }, $"The epoch is now {epoch}.");
        return 0;
    }
}
