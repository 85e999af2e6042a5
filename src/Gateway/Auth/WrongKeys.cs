using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Caching.Memory;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Keys that nobody issued. Each is remembered for a moment, so that it costs one query however often it is shown; and those
/// that cost one are counted by address, so that who goes on guessing costs none. Keys that are held open from there all the same.
/// </summary>
public sealed class WrongKeys(Clock time) : IDisposable
{
    public const int PerMinute = 60;
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    private readonly MemoryCache _until = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    private readonly PartitionedRateLimiter<IPAddress> _guesses = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
        RateLimitPartition.GetSlidingWindowLimiter(NetworkOf(address), static _ => new SlidingWindowRateLimiterOptions
        {
            PermitLimit = PerMinute,
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = 6,
            QueueLimit = 0,
        }));

    /// <param name="key">The key's id or its hash.</param>
    /// <param name="from">Nobody where who asks is known already.</param>
    public bool MayAsk(object key, IPAddress? from) =>
        !(_until.TryGetValue(key, out long until) && until > time.GetTimestamp()) && !IsLimited(from, out _);

    public void Add(object key, IPAddress? from)
    {
        _until.Set(key, time.GetTimestamp() + (long)(Age.TotalSeconds * time.TimestampFrequency), new MemoryCacheEntryOptions { Size = 1 });
        if (from is not null)
        {
            _guesses.AttemptAcquire(from).Dispose();
        }
    }

    public bool IsLimited(IPAddress? from, out TimeSpan wait)
    {
        wait = default;
        if (from is null)
        {
            return false;
        }

        // Of none it is only said whether there would be one.
        using var lease = _guesses.AttemptAcquire(from, 0);
        return !lease.IsAcquired && (lease.TryGetMetadata(MetadataName.RetryAfter, out wait) || true);
    }

    /// <summary>Who has one address of IPv6 has the 2⁶⁴ of its network.</summary>
    private static IPAddress NetworkOf(IPAddress address) => address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }
        ? new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]])
        : address;

    public void Dispose()
    {
        _until.Dispose();
        _guesses.Dispose();
    }
}
