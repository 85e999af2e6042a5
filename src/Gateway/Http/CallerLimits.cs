using System.Globalization;
using System.Threading.RateLimiting;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Http;

/// <summary>
/// How much a caller may ask for in a minute, over HTTP and over the hub together: users' keys are limited, keys of services
/// only if configured. Streams that aren't there are counted for everybody: each costs a look, and names are cheap to make up.
/// </summary>
public sealed class CallerLimits(GatewayOptions options) : IDisposable
{
    public const int MissesPerMinute = 600;

    private readonly PartitionedRateLimiter<Caller> _requests = PartitionedRateLimiter.Create<Caller, Guid>(caller => Window(caller, PerMinute(caller, options)));

    private readonly PartitionedRateLimiter<Caller> _misses = PartitionedRateLimiter.Create<Caller, Guid>(static caller => Window(caller, MissesPerMinute));

    /// <summary>Whether a limit holds for this caller at all: those without one don't stand in line for the limiter.</summary>
    public static bool MayLimit(Caller caller, GatewayOptions options) => caller.KeyId != Guid.Empty && PerMinute(caller, options) != 0;

    /// <summary>Counts a call; one too many is refused.</summary>
    /// <param name="seconds">When to try again.</param>
    public bool Refuses(Caller caller, out int seconds)
    {
        seconds = 0;
        if (!MayLimit(caller, options))
        {
            return false;
        }

        using var lease = _requests.AttemptAcquire(caller);
        return IsRefused(lease, out seconds);
    }

    public bool MissedTooOften(Caller caller, out int seconds)
    {
        // Of none it is only said whether there would be one.
        using var lease = _misses.AttemptAcquire(caller, 0);
        return IsRefused(lease, out seconds);
    }

    public void Missed(Caller caller, int times)
    {
        for (; times > 0; times--)
        {
            _misses.AttemptAcquire(caller).Dispose();
        }
    }

    /// <summary>The framework's own middleware would keep a limiter for endpoints that nothing disposes of, and with it the whole application.</summary>
    public Task Limit(HttpContext http, RequestDelegate next)
    {
        if (!http.TryCaller(out var caller) || !Refuses(caller, out var seconds))
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _requests.Dispose();
        _misses.Dispose();
    }

    private static bool IsRefused(RateLimitLease lease, out int seconds)
    {
        seconds = lease.IsAcquired ? 0 : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 10;
        return !lease.IsAcquired;
    }

    private static RateLimitPartition<Guid> Window(Caller caller, int perMinute) =>
        RateLimitPartition.GetSlidingWindowLimiter(caller.User ?? caller.KeyId, _ => new SlidingWindowRateLimiterOptions
        {
            PermitLimit = perMinute,
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = 6,
            QueueLimit = 0,
        });

    private static int PerMinute(Caller caller, GatewayOptions options) =>
        caller.Kind == ApiKeyKind.User ? options.RequestsPerMinute : options.ServiceRequestsPerMinute;
}
