using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Every open connection, and how long it may last: as long as its key, its token and its user. A token's end is announced a
/// minute before, so that the client can renew it without losing the connection.
/// </summary>
public sealed class ConnectionRoster
{
    private const int UsersPerRead = 1000;
    private static readonly TimeSpan Warning = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<EventConnection, ITimer?> _connections = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Tenant, string Stream), HashSet<EventConnection>> _byUser = [];
    private readonly KeyRing _keys;
    private readonly Presence _presence;
    private readonly UserStandings _standings;
    private readonly UserStore _users;
    private readonly Clock _time;
    private readonly ILogger<ConnectionRoster> _log;

    public ConnectionRoster(
        KeyRing keys, Presence presence, UserStandings standings, UserStore users, IHostApplicationLifetime lifetime, Clock time, ILogger<ConnectionRoster> log)
    {
        _keys = keys;
        _presence = presence;
        _standings = standings;
        _users = users;
        _log = log;
        _time = time;
        keys.Revoked += key => CloseWhere(CloseReason.KeyRevoked, connection => connection.Acting.Caller.KeyId == key);
        lifetime.ApplicationStopping.Register(() => CloseWhere(CloseReason.ShuttingDown, static _ => true));
    }

    public int Count => _connections.Count;

    public async Task Admit(EventConnection connection)
    {
        Expire(connection);
        if (UserOf(connection) is { } user)
        {
            lock (_lock)
            {
                if (!_byUser.TryGetValue(user, out var theirs))
                {
                    _byUser[user] = theirs = [];
                }

                theirs.Add(connection);
            }
        }

        connection.Come(_presence);
        var key = connection.Acting.Caller.KeyId;
        // It may have ended while the connection was being made, when nobody could find it here.
        if (key != Guid.Empty && await _keys.FindById(key, CancellationToken.None) is null)
        {
            connection.Close(CloseReason.KeyRevoked);
        }
        else if (connection.Acting.User is { } me)
        {
            await LookSafely(connection.Acting.Tenant, me);
        }
    }

    public void Leave(EventConnection connection)
    {
        if (_connections.TryRemove(connection, out var timer))
        {
            timer?.Dispose();
        }

        if (UserOf(connection) is { } user)
        {
            lock (_lock)
            {
                if (_byUser.TryGetValue(user, out var theirs) && theirs.Remove(connection) && theirs.Count == 0)
                {
                    _byUser.Remove(user);
                }
            }
        }
    }

    /// <summary>The connection came, or has a new token: from now on that one's end counts.</summary>
    public void Expire(EventConnection connection)
    {
        ITimer? timer = null;
        if (connection.Acting.Caller.ExpiresAt is { } end)
        {
            timer = _time.CreateTimer(_ => OnTimer(connection), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            var until = end - _time.GetUtcNow();
            timer.Change(Positive(until > Warning ? until - Warning : TimeSpan.Zero), Timeout.InfiniteTimeSpan);
        }

        _connections.AddOrUpdate(connection, timer, (_, before) =>
        {
            before?.Dispose();
            return timer;
        });
    }

    /// <summary>Something happened to a user: who acts for them goes on only while they are there and active.</summary>
    public void OnUser(Guid? tenant, string stream)
    {
        if (tenant is { } of && Of(of, stream) is [{ Acting.User: { } user }, ..])
        {
            _ = LookSafely(of, user);
        }
    }

    /// <summary>What happened elsewhere may not have been heard here: asks for all at once who isn't there and active.</summary>
    public async Task CheckUsers(CancellationToken cancel)
    {
        (Guid Tenant, Guid User)[] all;
        lock (_lock)
        {
            all = [.. _byUser.Values.Select(theirs => (theirs.First().Acting.Tenant, theirs.First().Acting.User!.Value))];
        }

        foreach (var tenant in all.GroupBy(one => one.Tenant))
        {
            foreach (var some in tenant.Chunk(UsersPerRead))
            {
                foreach (var (user, isThere) in await _users.Away(tenant.Key, [.. some.Select(one => one.User)], cancel))
                {
                    Close(tenant.Key, user, isThere ? CloseReason.UserInactive : CloseReason.UserDeleted);
                }
            }
        }
    }

    public void CloseStuck()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.CloseIfStuck();
        }
    }

    private static (Guid Tenant, string Stream)? UserOf(EventConnection connection) =>
        connection.Acting.User is { } user ? (connection.Acting.Tenant, StreamName.User(user)) : null;

    private EventConnection[] Of(Guid tenant, string userStream)
    {
        lock (_lock)
        {
            return _byUser.TryGetValue((tenant, userStream), out var theirs) ? [.. theirs] : [];
        }
    }

    private async Task Look(Guid tenant, Guid user)
    {
        if (await _standings.Of(tenant, user) is not Standing.Active and var standing)
        {
            Close(tenant, user, standing == Standing.Inactive ? CloseReason.UserInactive : CloseReason.UserDeleted);
        }
    }

    private async Task LookSafely(Guid tenant, Guid user)
    {
        try
        {
            await Look(tenant, user);
        }
        catch (Exception e)
        {
            // The check of all users comes back to it.
            _log.LogWarning("Whether a connected user is active waits: {Reason}", e.Message);
        }
    }

    private void Close(Guid tenant, Guid user, CloseReason reason)
    {
        foreach (var connection in Of(tenant, StreamName.User(user)))
        {
            connection.Close(reason);
        }
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private void OnTimer(EventConnection connection)
    {
        if (connection.Acting.Caller.ExpiresAt is not { } end || !_connections.TryGetValue(connection, out var timer))
        {
            return;
        }

        var left = end - _time.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            connection.Close(CloseReason.TokenExpired);
            return;
        }

        if (left <= Warning)
        {
            connection.Send(Notice.TokenExpiring((int)Math.Ceiling(left.TotalSeconds)));
        }

        timer?.Change(left > Warning ? left - Warning : left, Timeout.InfiniteTimeSpan);
    }

    private void CloseWhere(CloseReason reason, Func<EventConnection, bool> which)
    {
        foreach (var connection in _connections.Keys)
        {
            if (which(connection))
            {
                connection.Close(reason);
            }
        }
    }
}
