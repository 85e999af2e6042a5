using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Storage;

namespace PersonaActors.Gateway.Health;

/// <summary>What must be there before this node serves. The hosting adds what its engine needs.</summary>
public sealed record ReadyCheck(string Name, Func<CancellationToken, Task<string?>> WhatIsMissing);

public static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" }, Wire.Json))
            .WithMetadata(OpenToAll.Instance).WithTags("Health").WithSummary("The process runs");
        routes.MapGet("/health/ready", Ready)
            .WithMetadata(OpenToAll.Instance).WithTags("Health").WithSummary("What is not ready, if anything").Produces(503);
    }

    /// <summary>The database answers.</summary>
    public static ReadyCheck DatabaseCheck(Database database) => new("database", async cancel =>
    {
        try
        {
            await database.RefreshEpoch(cancel);
            return null;
        }
        catch (Exception e) when (e is StorageUnavailableException or OperationCanceledException)
        {
            return "PostgreSQL does not answer";
        }
    });

    private static async Task<IResult> Ready(HttpContext http, IEnumerable<ReadyCheck> checks, IHostApplicationLifetime lifetime, Clock time)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, http.RequestAborted);
        var missing = new Dictionary<string, string>();
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            missing["node"] = "shutting down";
        }
        else
        {
            foreach (var check in checks)
            {
                if (await check.WhatIsMissing(either.Token) is { } what)
                {
                    missing[check.Name] = what;
                }
            }
        }

        return Results.Json(
            new { status = missing.Count == 0 ? "ready" : "not-ready", missing },
            Wire.Json, statusCode: missing.Count == 0 ? 200 : 503);
    }
}
