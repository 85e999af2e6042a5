using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Hosting;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

/// <summary>The table of commands. Exit codes: 0 done, 1 failed with a message, 2 not understood.</summary>
public static class Cli
{
    private const string Help = """
        personactors: always knows who is talking, to which character, and in what state

        usage: personactors <command> [options] [--Persona:<Setting>=<value> …]

          serve                    run the node: migrates if it was given the migrator's login, then serves
          migrate                  bring the database's schema up to this build
          seed                     make the demo tenant and a key for it
          keys create|list|revoke  API keys, also the first operator's
          epoch bump               after restoring a database by a file copy or a snapshot
          doctor                   check settings, database, extension, roles, migrations; --sql prints the set-up

        'personactors <command> --help' tells more. Settings come from appsettings.json, PERSONA__… and the command line.
        """;

    private static readonly Dictionary<string, Func<CommandArguments, CancellationToken, Task<int>>> Commands = new()
    {
        ["serve"] = ServeCommand.Run,
        ["migrate"] = MigrateCommand.Run,
        ["seed"] = SeedCommand.Run,
        ["keys"] = KeysCommand.Run,
        ["epoch"] = EpochCommand.Run,
        ["doctor"] = DoctorCommand.Run,
    };

    public static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        if (args.Length == 0 || args[0] is "--help" or "-h" or "help")
        {
            Console.WriteLine(Help);
            return args.Length == 0 ? 2 : 0;
        }

        if (!Commands.TryGetValue(args[0], out var command))
        {
            await Console.Error.WriteLineAsync($"There is no command '{args[0]}'.\n\n{Help}");
            return 2;
        }

        try
        {
            return await command(new CommandArguments(args[1..]), cancel);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
        catch (Exception e) when (e is SettingException or MigrationException or StorageUnavailableException or NpgsqlException)
        {
            await Console.Error.WriteLineAsync(e is NpgsqlException and not PostgresException ? $"The database can't be reached: {e.Message}" : e.Message);
            return 1;
        }
    }
}
