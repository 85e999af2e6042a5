using System.CommandLine;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;

namespace PersonaActors.Silo.CommandLine;

public static class SeedCommand
{
    public static async Task<int> Run(ParseResult given, CancellationToken cancel)
    {
        var settings = Settings.Read(given.Configuration(), serves: false);
        await using var database = await OpenedDatabase.Open(settings, cancel);
        var demo = new DemoTenant(database, TimeProvider.System);
        var tenant = await demo.Ensure(cancel, DemoTenant.FirstConfig);
        // Where no file keeps it, a key that was shown can't be shown again; that is no reason for another.
        var key = settings.DemoKeyFile is null && await demo.HasKey(tenant, cancel) ? null : await demo.EnsureKey(tenant, settings.DemoKeyFile, cancel);
        given.Print(new { tenant, key }, $"tenant {DemoTenant.Name} ({tenant})\n" + (key is null
            ? $"It has a key, shown when it was made. For another: personactors keys create --tenant {DemoTenant.Name} --kind tenant-admin --delegate --name NAME"
            : $"key {key}"));
        return 0;
    }
}
