using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// The keys that were used lately, in memory, so that knowing who calls costs no query. A revocation through this gateway
/// takes effect before it is answered, one in this process with its event, one from elsewhere with its hint, and were that
/// lost, at the next check of all held keys, every five seconds.
/// </summary>
public sealed class KeyRing(ApiKeyStore store, Clock time, ILogger<KeyRing> log) : BackgroundService
{
    private const int Capacity = 100_000;
    private static readonly TimeSpan CheckPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<KeyHash, ApiKeyRow> _byHash = new();
    private readonly ConcurrentDictionary<Guid, ApiKeyRow> _byId = new();
    private readonly SemaphoreSlim _recheck = new(0, 1);
    private long _changes;

    /// <summary>A key that ended; connections made with it, or with its tokens, must end too.</summary>
    public event Action<Guid>? Revoked;

    /// <summary>Rises with every key that ends or may have: who remembers a key asks again then.</summary>
    public long Changes => Volatile.Read(ref _changes);

    public async ValueTask<ApiKeyRow?> Find(string text, CancellationToken cancel)
    {
        if (ApiKeyText.Hash(text) is not { } hash)
        {
            return null;
        }

        if (_byHash.TryGetValue(new KeyHash(hash), out var known))
        {
            return CryptographicOperations.FixedTimeEquals(known.Hash, hash) ? known : null;
        }

        var before = Volatile.Read(ref _changes);
        return Keep(await store.FindByHash(hash, cancel), before);
    }

    public async ValueTask<ApiKeyRow?> FindById(Guid id, CancellationToken cancel)
    {
        if (_byId.TryGetValue(id, out var known))
        {
            return known;
        }

        var before = Volatile.Read(ref _changes);
        return Keep(await store.FindById(id, cancel), before);
    }

    public void OnRevoked(Announcement announced) => End(announced.Event.Data.Read<KeyEvent>().Key.Id);

    public void End(Guid id)
    {
        Interlocked.Increment(ref _changes);
        Forget(id);
        Revoked?.Invoke(id);
    }

    /// <summary>The user is gone, and their keys with them.</summary>
    public void EndOf(string userStream)
    {
        foreach (var row in _byId.Values.Where(row => row.UserId is { } id && StreamName.User(id) == userStream))
        {
            End(row.Id);
        }
    }

    public void OnHint(EventHint hint)
    {
        if (hint.Stream.StartsWith("tenant:", StringComparison.Ordinal))
        {
            Recheck();
        }
    }

    /// <summary>Keys may have ended elsewhere.</summary>
    public void Recheck()
    {
        Interlocked.Increment(ref _changes);
        if (_recheck.CurrentCount == 0)
        {
            try
            {
                _recheck.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else asked in the same moment; one check serves both.
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var period = new CancellationTokenSource(CheckPeriod, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, period.Token);
            try
            {
                await _recheck.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // The period is over.
            }

            try
            {
                foreach (var id in await store.FindEnded([.. _byId.Keys], stoppingToken))
                {
                    End(id);
                }
            }
            catch (StorageUnavailableException)
            {
                log.LogWarning("The check for revoked keys waits for the database");
            }
        }
    }

    // A key that was read while a revocation went by isn't kept: what was read may be older than the revocation.
    private ApiKeyRow? Keep(ApiKeyRow? row, long before)
    {
        if (row is null || row.RevokedAt is not null)
        {
            return null;
        }

        if (_byId.Count >= Capacity)
        {
            // What isn't held isn't checked either, so nobody may remember it longer.
            Interlocked.Increment(ref _changes);
            _byHash.Clear();
            _byId.Clear();
        }

        _byHash[new KeyHash(row.Hash)] = row;
        _byId[row.Id] = row;
        if (Volatile.Read(ref _changes) != before)
        {
            Forget(row.Id);
        }

        return row;
    }

    private sealed record KeyEvent(KeyOfEvent Key);

    private sealed record KeyOfEvent(Guid Id);

    private void Forget(Guid id)
    {
        if (_byId.TryRemove(id, out var row))
        {
            _byHash.TryRemove(new KeyHash(row.Hash), out _);
        }
    }

    private readonly record struct KeyHash(ulong A, ulong B, ulong C, ulong D)
    {
        public KeyHash(byte[] hash)
            : this(
                MemoryMarshal.Read<ulong>(hash.AsSpan(0)), MemoryMarshal.Read<ulong>(hash.AsSpan(8)),
                MemoryMarshal.Read<ulong>(hash.AsSpan(16)), MemoryMarshal.Read<ulong>(hash.AsSpan(24)))
        {
        }
    }
}
