using Npgsql;
using PersonaActors.Silo.Configuration;

namespace PersonaActors.Silo.CommandLine;

/// <summary>A database restored by a file copy keeps PostgreSQL's identity; the counter tells its numbers from the original's.</summary>
public static class EpochCommand
{
    private const string BumpSql = "UPDATE database_epoch SET counter = counter + 1";
    private const string EpochSql = "SELECT current_epoch()";

    public static async Task<int> Run(CommandArguments arguments, CancellationToken cancel)
    {
        arguments.Allow();
        if (arguments.WantsHelp || arguments.Word(0) != "bump")
        {
            Console.WriteLine("personactors epoch bump\nBelongs to every restore of a database by file copy or snapshot: clients' cursors from before are answered with a reset.");
            return arguments.WantsHelp ? 0 : 2;
        }

        var migrator = arguments.Configuration()["Persona:Database:Migrator"]
            ?? throw new SettingException("Persona:Database:Migrator is not set: give the migrator's connection string as PERSONA__DATABASE__MIGRATOR.");
        await using var source = NpgsqlDataSource.Create(migrator);
        await using (var bump = source.CreateCommand(BumpSql))
        {
            await bump.ExecuteNonQueryAsync(cancel);
        }

        await using var read = source.CreateCommand(EpochSql);
        var epoch = (string)(await read.ExecuteScalarAsync(cancel))!;
        Output.Print(arguments, new { epoch }, $"The epoch is now {epoch}.");
        return 0;
    }
}
