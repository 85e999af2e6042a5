using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;

namespace PersonaActors.Gateway.Health;

/// <summary>Whether this node serves: asked in the background, so that whoever asks here costs no query.</summary>
public sealed class Readiness(HealthCheckService checks, IHostApplicationLifetime lifetime) : IHealthCheckPublisher
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private volatile HealthReport? _last;

    /// <summary>Whoever hosts the gateway may add checks of what it needs.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<DatabaseCheck>("database");
        services.AddSingleton<Readiness>();
        services.AddSingleton<IHealthCheckPublisher>(provider => provider.GetRequiredService<Readiness>());
        services.Configure<HealthCheckPublisherOptions>(publisher => (publisher.Delay, publisher.Period, publisher.Timeout) = (TimeSpan.Zero, Period, Period));
        // It calls an outage an error, again and again; those who meet it say it once.
        services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None));
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new Alive("live"), Wire.Json)).WithTags("Health").WithSummary("The process runs").Produces<Alive>();
        routes.MapGet("/health/ready", (Readiness readiness, CancellationToken cancel) => readiness.Answer(cancel))
            .WithTags("Health").WithSummary("What is not ready, if anything").Produces<Ready>().Produces<Ready>(503);
    }

    public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
    {
        _last = report;
        return Task.CompletedTask;
    }

    /// <summary>What is not ready, and why.</summary>
    public async ValueTask<Dictionary<string, string?>> Missing(CancellationToken cancel) => lifetime.ApplicationStopping.IsCancellationRequested
        ? new() { ["node"] = "shutting down" }
        : (_last ?? await checks.CheckHealthAsync(cancel)).Entries
            .Where(check => check.Value.Status != HealthStatus.Healthy).ToDictionary(check => check.Key, check => check.Value.Description);

    private async Task<IResult> Answer(CancellationToken cancel)
    {
        var missing = await Missing(cancel);
        return Results.Json(
            new Ready(missing.Count == 0 ? "ready" : "not-ready", missing),
            Wire.Json, statusCode: missing.Count == 0 ? 200 : 503);
    }

    private sealed record Alive(string Status);

    /// <param name="Missing">What is not ready, and what is wrong with it.</param>
    private sealed record Ready(string Status, Dictionary<string, string?> Missing);

    private sealed class DatabaseCheck(Database database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await database.RefreshEpoch(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (e is StorageUnavailableException or OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy("PostgreSQL does not answer");
            }
        }
    }
}
