using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;
using PersonaActors.Silo.Hosting;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

public static class ServeCommand
{
    public static async Task<int> Run(CommandArguments arguments, CancellationToken cancel)
    {
        arguments.Allow();
        if (arguments.WantsHelp)
        {
            Console.WriteLine("personactors serve\nRuns the node until it is told to stop. Prints 'ready <address> [key …]' when it serves. The settings are in the README.");
            return 0;
        }

        var configuration = arguments.Configuration();
        var settings = Settings.Read(configuration);
        if (settings.MigratorDatabase is { } migrator)
        {
            foreach (var name in await Migrator.Migrate(migrator, Migrator.Embedded, TimeProvider.System, cancel))
            {
                Console.WriteLine($"migrated {name}");
            }

            await EngineHosting.PrepareDatabase(migrator, settings.OrleansSql, cancel);
        }

        await using var database = await OpenedDatabase.Open(settings, cancel);

        Guid? demo = null;
        string? key = null;
        if (settings.Demo || !settings.Auth)
        {
            var tenant = new DemoTenant(database, TimeProvider.System);
            demo = await tenant.Ensure(cancel);
            key = settings.Auth ? await tenant.EnsureKey(demo.Value, settings.DemoKeyFile, cancel) : null;
        }

        await using var node = NodeComposition.Build(settings, configuration, database, settings.Auth ? null : demo);
        await node.StartAsync(cancel);
        Console.WriteLine($"ready {settings.Url.GetLeftPart(UriPartial.Authority)}{(key is null ? "" : $" key {key}")}");
        await node.WaitForShutdownAsync(cancel);
        return Environment.ExitCode;
    }
}
