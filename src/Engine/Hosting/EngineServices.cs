using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Engine;

public static class EngineServices
{
    /// <summary>Adds the engine: <see cref="IGrainFactory"/>, and a hosted service that drains it on stop.</summary>
    public static IServiceCollection AddEngine(this IServiceCollection services, Action<EngineOptions>? configure = null)
    {
        services.AddOptions<EngineOptions>();
        if (configure is not null) services.Configure(configure);
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GrainEngine>();
        services.TryAddSingleton<IGrainFactory>(provider => provider.GetRequiredService<GrainEngine>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EngineHost>());
        return services;
    }

    /// <summary>Lets only one embedded node serve a database. Goes before <see cref="AddEngine"/>.</summary>
    public static IServiceCollection AddNodeLock(this IServiceCollection services, Func<IServiceProvider, string> connectionString)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new NodeLock(
            connectionString(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeLock>>(),
            provider.GetRequiredService<IHostApplicationLifetime>()));
        services.AddHostedService(static provider => provider.GetRequiredService<NodeLock>());
        return services;
    }
}
