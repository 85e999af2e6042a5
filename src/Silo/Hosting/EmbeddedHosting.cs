using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PersonaActors.Grains;
using PersonaActors.Grains.Users;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage;

namespace PersonaActors.Silo.Hosting;

/// <summary>The embedded edition: the engine in this process, and the lock that keeps a second node off the database.</summary>
public static class EngineHosting
{
    public const bool SharesDatabase = false;

    public static void Add(WebApplicationBuilder builder, Settings settings, Database database)
    {
        if (settings.Role != NodeRole.All)
        {
            throw new SettingException("Persona:Role divides a cluster; this is the embedded edition, where one process is all. Build with -p:Cluster=true.");
        }

        builder.Services.AddNodeLock(_ => settings.AppDatabase);
        builder.Services.AddHostedService<LockedGate>();
        builder.Services.AddEngine(engine =>
        {
            engine.GrainAssemblies.Add(typeof(UserGrain).Assembly);
            engine.ConnectionString = settings.AppDatabase;
        });
        builder.Services.AddGrainWork(alone: true);
    }

    /// <summary>The engine's tables are among our own migrations.</summary>
    public static Task PrepareDatabase(string migrator, string? scripts, CancellationToken cancel) => Task.CompletedTask;

    public static bool IsTransient(Exception e) => e is SiloUnavailableException;

    /// <summary>The node may not run, and the message says why.</summary>
    public static bool IsRefusal(Exception e) => e is NodeLockedException;
}

/// <summary>While the node lock is lost another node may have come: nothing is read or written until it is held again.</summary>
internal sealed class LockedGate(NodeLock nodeLock, Database database) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        nodeLock.HeldChanged += (_, _) => Follow();
        Follow();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Follow()
    {
        if (nodeLock.IsHeld)
        {
            database.Gate.Open();
        }
        else
        {
            database.Gate.Close("This node's lock on the database is lost and being retaken.");
        }
    }
}
