using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Every open connection, and how long it may last: as long as its key, its token and its user. A token's end is announced a
/// minute before, so that the client can renew it without losing the connection.
/// </summary>
public sealed class ConnectionRoster
{
    private static readonly TimeSpan Warning = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<EventConnection, ITimer?> _connections = new();
    private readonly KeyRing _keys;
    private readonly Presence _presence;
    private readonly Clock _time;

    public ConnectionRoster(KeyRing keys, Presence presence, IHostApplicationLifetime lifetime, Clock time)
    {
        _keys = keys;
        _presence = presence;
        _time = time;
        keys.Revoked += key => CloseWhere(CloseReason.KeyRevoked, connection => connection.Acting.Caller.KeyId == key);
        lifetime.ApplicationStopping.Register(() => CloseWhere(CloseReason.ShuttingDown, static _ => true));
    }

    public int Count => _connections.Count;

    public async Task Admit(EventConnection connection)
    {
        Expire(connection);
        connection.Come(_presence);
        var key = connection.Acting.Caller.KeyId;
        // It may have ended while the connection was being made, when nobody could find it here.
        if (key != Guid.Empty && await _keys.FindById(key, CancellationToken.None) is null)
        {
            connection.Close(CloseReason.KeyRevoked);
        }
    }

    public void Leave(EventConnection connection)
    {
        if (_connections.TryRemove(connection, out var timer))
        {
            timer?.Dispose();
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

    public void OnUserDeleted(Announcement announced) => CloseWhere(CloseReason.UserDeleted, connection =>
        connection.Acting.Caller.User is { } user && StreamName.User(user) == announced.Event.Stream && connection.Acting.Tenant == announced.Tenant);

    public void CloseStuck()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.CloseIfStuck();
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
