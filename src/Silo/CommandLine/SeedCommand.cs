using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;

namespace PersonaActors.Silo.CommandLine;

public static class SeedCommand
{
    public static async Task<int> Run(CommandArguments arguments, CancellationToken cancel)
    {
        arguments.Allow();
        if (arguments.WantsHelp)
        {
            Console.WriteLine("personactors seed [--json]\nMakes the demo tenant if there is none, and a tenant admin's key for it (kept in Persona:DemoKeyFile, if set).");
            return 0;
        }

        var settings = Settings.Read(arguments.Configuration(), serves: false);
        await using var database = await OpenedDatabase.Open(settings, cancel);
        var demo = new DemoTenant(database, TimeProvider.System);
        var tenant = await demo.Ensure(cancel);
        var key = await demo.EnsureKey(tenant, settings.DemoKeyFile, cancel);
        Output.Print(arguments, new { tenant, key }, $"tenant {DemoTenant.Name} ({tenant})\nkey {key}");
        return 0;
    }
}
