using System.CommandLine;
using Npgsql;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;
using PersonaActors.Silo.Hosting;
using PersonaActors.Storage;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Silo.CommandLine;

public static class ServeCommand
{
    /// <summary>How long a node that starts waits for a database that starts too, or has no connection to spare.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);

    public static async Task<int> Run(ParseResult given, CancellationToken cancel)
    {
        var configuration = given.Configuration();
        var settings = Settings.Read(configuration);
        var (database, demo, key) = await Patiently(() => Prepare(settings, given.InvocationConfiguration.Output, cancel), given.InvocationConfiguration.Error, cancel);
        await using var open = database;
        // Nothing needs it any more, and it may do what the node must not.
        ProcessEnvironment.Forget("PERSONA__DATABASE__MIGRATOR");
        await using var node = NodeComposition.Build(settings, configuration, database, settings.Auth ? null : demo);
        await node.StartAsync(cancel);
        given.InvocationConfiguration.Output.WriteLine($"ready {settings.Url.GetLeftPart(UriPartial.Authority)}{(key is null ? "" : $" key {key}")}");
        await node.WaitForShutdownAsync(cancel);
        return CodeOf(node.Services.GetServices<IHostedService>());
    }

    /// <summary>Work in the background that failed has ended the host; nobody asked for it.</summary>
    public static int CodeOf(IEnumerable<IHostedService> work) =>
        work.OfType<BackgroundService>().Any(one => one.ExecuteTask is { IsFaulted: true }) ? 1 : Environment.ExitCode;

    /// <summary>Everything that needs the database before the node can be built. All of it may be repeated.</summary>
    private static async Task<(Database Database, Guid? Demo, string? Key)> Prepare(Settings settings, TextWriter output, CancellationToken cancel)
    {
        if (settings.MigratorDatabase is { } migrator)
        {
            foreach (var name in await Migrator.Migrate(migrator, Migrator.Embedded, TimeProvider.System, cancel))
            {
                await output.WriteLineAsync($"migrated {name}");
            }
        }

        var database = await OpenedDatabase.Open(settings, cancel);
        try
        {
            if (!settings.Demo && settings.Auth)
            {
                return (database, null, null);
            }

            var tenant = new DemoTenant(database, TimeProvider.System);
            var demo = await tenant.Ensure(cancel, DemoTenant.FirstConfig);
            return (database, demo, settings.Auth ? await tenant.EnsureKey(demo, settings.DemoKeyFile, cancel) : null);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private static async Task<T> Patiently<T>(Func<Task<T>> prepare, TextWriter error, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var since = time.GetTimestamp();
        var told = false;
        while (true)
        {
            try
            {
                return await prepare();
            }
            catch (Exception e) when (MayPass(e) && time.GetElapsedTime(since) < Patience)
            {
                if (!told)
                {
                    told = true;
                    await error.WriteLineAsync($"waiting for the database: {e.Message}");
                }

                await Task.Delay(Retry, time, cancel);
            }
        }
    }

    /// <summary>Nobody listens, no connection is free, it is starting: what a wrong password or name is not.</summary>
    private static bool MayPass(Exception e) => (e as NpgsqlException ?? (e as StorageUnavailableException)?.Cause as NpgsqlException) is { IsTransient: true };
}
