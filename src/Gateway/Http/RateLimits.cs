using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Http;

/// <summary>How many requests a key may make a minute: users' keys are limited, keys of services only if configured.</summary>
public static class RateLimits
{
    /// <summary>Whether a limit holds for this caller at all: those without one don't stand in line for the limiter.</summary>
    public static bool MayLimit(HttpContext http, GatewayOptions options) =>
        http.TryCaller(out var caller) && MayLimit(caller, options);

    public static bool MayLimit(Caller caller, GatewayOptions options) => caller.KeyId != Guid.Empty && PerMinute(caller, options) != 0;

    public static void Configure(RateLimiterOptions limiter, GatewayOptions options)
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, Guid>(http =>
        {
            var caller = http.Caller();
            var perMinute = PerMinute(caller, options);
            return RateLimitPartition.GetSlidingWindowLimiter(caller.User ?? caller.KeyId, _ => new SlidingWindowRateLimiterOptions
            {
                PermitLimit = perMinute,
                Window = TimeSpan.FromMinutes(1),
                SegmentsPerWindow = 6,
                QueueLimit = 0,
            });
        });
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.OnRejected = static (rejected, _) =>
        {
            var seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 10;
            rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return ValueTask.CompletedTask;
        };
    }

    private static int PerMinute(Caller caller, GatewayOptions options) =>
        caller.Kind == ApiKeyKind.User ? options.RequestsPerMinute : options.ServiceRequestsPerMinute;
}
