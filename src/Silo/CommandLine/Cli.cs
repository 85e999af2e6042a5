using System.CommandLine;
using System.CommandLine.Invocation;
using Npgsql;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage.Migrations;
using Command = System.CommandLine.Command;

namespace PersonaActors.Silo.CommandLine;

/// <summary>The table of commands. Exit codes: 0 done, 1 failed with a message, 2 not understood.</summary>
public static class Cli
{
    private static readonly RootCommand Commands = new("PersonaActors: always knows who is talking, to which character, and in what state.")
    {
        GlobalOptions.Json,
        GlobalOptions.Data,
        GlobalOptions.Setting,
        Does("serve", "Run the node until it is told to stop: migrates if it has the migrator's login, prints 'ready <address> [key …]' when it serves", ServeCommand.Run),
        Does("migrate", "Apply the migrations that the database lacks, in order, one process at a time. Needs Persona:Database:Migrator", MigrateCommand.Run),
        Does("seed", "Make the demo tenant and a tenant admin's key for it (kept in Persona:DemoKeyFile, if set), where they are missing", SeedCommand.Run),
        new Command("keys", "API keys, also the first operator's: keys create --operator --name NAME")
        {
            Does("create", "Make a key, shown once: of an operator, or of a tenant with its kind", KeysCommand.Create,
                KeysCommand.Name, KeysCommand.Operator, KeysCommand.Tenant, KeysCommand.Kind, KeysCommand.User, KeysCommand.Delegate),
            Does("list", "List all keys, or a tenant's, or the operators'", KeysCommand.List, KeysCommand.Operator, KeysCommand.Tenant),
            Does("revoke", "Revoke a key; serving nodes know within seconds", KeysCommand.Revoke, KeysCommand.Id),
        },
        new Command("import", "Moving in: characters, and whole databases, into a running service")
        {
            Does("shapes", "A character from shapes.inc, for a user; again it is updated in place", ImportCommand.Shapes,
                ServiceClient.Options(ImportCommand.File, ImportCommand.DryRun, ServiceClient.User)),
            Does("cards", "Character cards, each a private personality of a user", ImportCommand.Cards, ServiceClient.Options(ImportCommand.Files, ImportCommand.DryRun, ServiceClient.User)),
            Does("legacy", "A database of the first founding document's tables, with an operator's key", ImportCommand.Legacy,
                ServiceClient.Options(ImportCommand.From, ImportCommand.OrphansTo, ImportCommand.DryRun)),
            Does("personakit", "PersonaKit's mappers, observations, narratives and mindscapes, and a service key for each of its users, with an operator's key", ImportCommand.PersonaKit,
                ServiceClient.Options(ImportCommand.From, ImportCommand.DryRun)),
            Does("archive", "What 'export user' made, into an empty tenant, with an operator's key", ImportCommand.Archive, ServiceClient.Options(ImportCommand.File, ImportCommand.DryRun)),
        },
        new Command("export", "Taking along")
        {
            Does("card", "A personality as a character card", ExportCommand.Card, ServiceClient.Options(ExportCommand.Personality, ExportCommand.Format, ExportCommand.Out, ServiceClient.User)),
            Does("user", "Everything that a user owns, as one archive", ExportCommand.OfUser, ServiceClient.Options(ExportCommand.User, ExportCommand.Out)),
        },
        new Command("epoch", "The database's epoch, which tells clients that their cursors are from before a restore")
        {
            Does("bump", "Belongs to every restore of a database by file copy or snapshot: cursors from before are answered with a reset", EpochCommand.Bump),
        },
        Does("doctor", "Check settings, logins, version, pgvector, roles and migrations", DoctorCommand.Run, DoctorCommand.Sql),
    };

    public static async Task<int> Run(string[] args, Surroundings surroundings)
    {
        // A key's name may begin with '@'.
        var given = Commands.Parse(args is ["help"] ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var misused = given.Action is ParseErrorAction;
        var error = surroundings.Error;
        if (misused)
        {
            surroundings.Output = error;
        }

        try
        {
            var code = await given.InvokeAsync(surroundings);
            return misused ? 2 : code;
        }
        catch (UsageException e)
        {
            await error.WriteLineAsync(e.Message);
            return 2;
        }
        catch (Exception e) when (e is RefusedException or SettingException or MigrationException or StorageUnavailableException or NpgsqlException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(e is NpgsqlException and not PostgresException
                ? $"The database can't be reached (that of ./run is there while ./run runs): {e.Message}"
                : e.Message);
            return 1;
        }
    }

    private static Command Does(string name, string description, Func<ParseResult, CancellationToken, Task<int>> run, params Symbol[] takes)
    {
        var command = new Command(name, description);
        foreach (var symbol in takes)
        {
            if (symbol is Option option)
            {
                command.Add(option);
            }
            else
            {
                command.Add((Argument)symbol);
            }
        }

        command.SetAction(run);
        return command;
    }
}
