using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// The keys that were used lately, in memory, so that knowing who calls costs no query. A revocation through this gateway
/// takes effect before it is answered, one in this process with its event, one from elsewhere with its hint, and were that
/// lost, at the next check of all held keys, every five seconds.
/// </summary>
public sealed class KeyRing(ApiKeyStore store, WrongKeys wrong, Clock time, ILogger<KeyRing> log) : BackgroundService
{
    private const int Capacity = 100_000;
    private static readonly TimeSpan CheckPeriod = TimeSpan.FromSeconds(5);

    private readonly MemoryCache _byId = new(new MemoryCacheOptions { SizeLimit = Capacity });

    /// <summary>Ids only: what isn't held by its id isn't held.</summary>
    private readonly MemoryCache _idByHash = new(new MemoryCacheOptions { SizeLimit = Capacity });
    private readonly Rounds _rounds = new("The check for revoked keys", CheckPeriod, time, log);

    /// <summary>When keys were used since that was last noted with them, in ticks.</summary>
    private readonly ConcurrentDictionary<Guid, long> _used = new();
    private readonly Dictionary<Guid, long> _noted = [];
    private long _changes;

    /// <summary>A key that ended; connections made with it, or with its tokens, must end too.</summary>
    public event Action<Guid>? Revoked;

    /// <summary>Rises with every key that ends or may have: who remembers a key asks again then.</summary>
    public long Changes => Volatile.Read(ref _changes);

    /// <summary>Who calls with this key: noted in the background, to the minute. Of a key that is used all the time every second's use is enough.</summary>
    public void Used(Guid key)
    {
        var now = time.GetUtcNow().UtcTicks;
        if (now - _used.GetValueOrDefault(key) >= TimeSpan.TicksPerSecond)
        {
            _used[key] = now;
        }
    }

    /// <param name="from">Whose guesses are counted.</param>
    public async ValueTask<ApiKeyRow?> Find(string text, IPAddress? from, CancellationToken cancel)
    {
        if (ApiKeyText.Hash(text) is not { } hash)
        {
            return null;
        }

        var name = Convert.ToHexString(hash);
        return _idByHash.TryGetValue(name, out Guid id) && _byId.TryGetValue(id, out ApiKeyRow? known)
            ? CryptographicOperations.FixedTimeEquals(known!.Hash, hash) ? known : null
            : await Ask(name, from, () => store.FindByHash(hash, cancel));
    }

    public async ValueTask<ApiKeyRow?> FindById(Guid id, CancellationToken cancel, IPAddress? from = null) =>
        _byId.TryGetValue(id, out ApiKeyRow? known) ? known : await Ask(id, from, () => store.FindById(id, cancel));

    public void OnRevoked(Announcement announced) => End(announced.Event.Data.Read<KeyEvent>().Key.Id);

    public void End(Guid id)
    {
        Interlocked.Increment(ref _changes);
        _byId.Remove(id);
        Revoked?.Invoke(id);
    }

    /// <summary>The user is gone, and their keys with them.</summary>
    public void EndOf(string userStream) => EndWhere(row => row.UserId is { } user && StreamName.User(user) == userStream);

    /// <summary>The tenant is gone, and its keys with it.</summary>
    public void EndOf(Guid tenant) => EndWhere(row => row.Tenant == tenant);

    private void EndWhere(Func<ApiKeyRow, bool> which)
    {
        foreach (var id in _byId.Keys)
        {
            if (_byId.TryGetValue(id, out ApiKeyRow? row) && which(row!))
            {
                End(row!.Id);
            }
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
        _rounds.Hurry();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _rounds.Run(Check, stoppingToken);

    private async Task Check(CancellationToken cancel)
    {
        foreach (var id in await store.FindEnded([.. _byId.Keys.Cast<Guid>()], cancel))
        {
            End(id);
        }

        await NoteUsed(cancel);
    }

    private async Task NoteUsed(CancellationToken cancel)
    {
        var due = _used.Where(use => use.Value - _noted.GetValueOrDefault(use.Key) >= TimeSpan.TicksPerMinute).ToArray();
        if (due.Length == 0)
        {
            return;
        }

        await store.NoteUsed(Array.ConvertAll(due, use => use.Key), Array.ConvertAll(due, use => new DateTimeOffset(use.Value, TimeSpan.Zero)), cancel);
        foreach (var (id, at) in due)
        {
            _noted[id] = at;
        }

        foreach (var (id, at) in _noted.Where(noted => time.GetUtcNow().UtcTicks - noted.Value > TimeSpan.TicksPerHour).ToArray())
        {
            _noted.Remove(id);
            _used.TryRemove(new(id, at));
        }
    }

    private async Task<ApiKeyRow?> Ask(object which, IPAddress? from, Func<Task<ApiKeyRow?>> ask)
    {
        if (!wrong.MayAsk(which, from))
        {
            return null;
        }

        var before = Changes;
        if (await ask() is not { RevokedAt: null } row)
        {
            wrong.Add(which, from);
            return null;
        }

        var entry = new MemoryCacheEntryOptions { Size = 1 };
        _idByHash.Set(Convert.ToHexString(row.Hash), row.Id, entry);
        _byId.Set(row.Id, row, entry.RegisterPostEvictionCallback(OnEvicted));
        // A key that was read while a revocation went by isn't kept: what was read may be older than the revocation.
        if (Changes != before)
        {
            _byId.Remove(row.Id);
        }

        return row;
    }

    // What isn't held isn't checked either, so nobody may remember it longer.
    private void OnEvicted(object id, object? row, EvictionReason reason, object? state)
    {
        if (reason == EvictionReason.Capacity)
        {
            Interlocked.Increment(ref _changes);
        }
    }

    private sealed record KeyEvent(KeyOfEvent Key);

    private sealed record KeyOfEvent(Guid Id);
}
