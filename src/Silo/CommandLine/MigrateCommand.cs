using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Hosting;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

public static class MigrateCommand
{
    public static async Task<int> Run(CommandArguments arguments, CancellationToken cancel)
    {
        arguments.Allow();
        if (arguments.WantsHelp)
        {
            Console.WriteLine("personactors migrate [--json]\nApplies the migrations that the database lacks, in order, one process at a time. Needs Persona:Database:Migrator.");
            return 0;
        }

        var migrator = arguments.Configuration()["Persona:Database:Migrator"]
            ?? throw new SettingException("Persona:Database:Migrator is not set: give the migrator's connection string as PERSONA__DATABASE__MIGRATOR.");
        var applied = await Migrator.Migrate(migrator, Migrator.Embedded, TimeProvider.System, cancel);
        Output.Print(arguments, new { applied }, applied.Count == 0 ? "The schema is up to date." : $"Applied {string.Join(", ", applied)}.");
        return 0;
    }
}
