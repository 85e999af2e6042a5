using Microsoft.AspNetCore.Builder;
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

        builder.Services.AddEngine(engine => engine.GrainAssemblies.Add(typeof(UserGrain).Assembly));
        builder.Services.AddGrainWork();
    }

    public static bool IsTransient(Exception e) => e is SiloUnavailableException;
}
