using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PersonaActors.Engine;

/// <summary>
/// One embedded node a database: an advisory lock that lives as long as its own connection. Register it before the
/// engine, so that it is taken first and given back last.
/// </summary>
/// <remarks>
/// A lost connection loses the lock; until it is taken again <see cref="IsHeld"/> is false, and nothing may be served,
/// for another node may have come. When that has happened this one ends. The server may notice the end of a connection
/// later than we do (a killed process, a cut cable), so a lock that is found taken is asked for again for a while.
/// </remarks>
public sealed class NodeLock : IHostedService, IAsyncDisposable
{
    internal const string ApplicationName = "personactors node lock";

    // Any number does that nothing else of ours uses; advisory locks are per database.
    private const long Key = 0x7065_7273_6F6E_6131;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PatienceAtStart = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan PatienceAfterLoss = TimeSpan.FromSeconds(15);

    private readonly string _connectionString;
    private readonly string _database;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeLock> _log;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly CancellationTokenSource _stopping = new();
    private NpgsqlConnection? _connection;
    private Task _watch = Task.CompletedTask;
    private volatile bool _isHeld;
    private bool _disposed;

    public NodeLock(string connectionString, TimeProvider time, ILogger<NodeLock> log, IHostApplicationLifetime lifetime)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = ApplicationName,
            Pooling = false,
            Multiplexing = false,
            Timeout = 5,
            CommandTimeout = 5,
            TcpKeepAlive = true,
        };
        // The server, too, shall notice within seconds that nobody is there any more.
        settings.Options = $"{settings.Options} -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3".Trim();
        _connectionString = settings.ConnectionString;
        _database = $"{settings.Database} on {settings.Host}:{settings.Port}";
        _time = time;
        _log = log;
        _lifetime = lifetime;
    }

    /// <summary>Whether this node is the one that serves the database.</summary>
    public bool IsHeld => _isHeld;

    /// <summary>After every change of <see cref="IsHeld"/>.</summary>
    public event EventHandler? HeldChanged;

    /// <exception cref="NodeLockedException">Another node holds it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var since = _time.GetTimestamp();
        while (true)
        {
            try
            {
                if (await TakeAsync(PatienceAtStart, cancellationToken).ConfigureAwait(false)) break;
                throw new NodeLockedException(Refusal);
            }
            catch (NpgsqlException exception) when (exception.IsTransient && _time.GetElapsedTime(since) < PatienceAtStart)
            {
                // No connection is to be had right now.
                await Task.Delay(Retry, _time, cancellationToken).ConfigureAwait(false);
            }
        }

        _watch = Task.Run(WatchAsync, CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(false);
        await DropAsync().ConfigureAwait(false);
    }

    private string Refusal =>
        $"Another PersonaActors node already serves the database {_database}. The embedded edition runs one node a database: "
        + "stop the other one, or run the cluster edition (build with -p:Cluster=true), whose nodes share a database.";

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, _time, _stopping.Token).ConfigureAwait(false);
                if (_connection is not null && await IsAliveAsync().ConfigureAwait(false)) continue;
                _log.LogError("The connection that holds the node lock was lost; nothing is served before it is taken again");
                await DropAsync().ConfigureAwait(false);
                await TakeAgainAsync().ConfigureAwait(false);
                _log.LogWarning("The node lock is held again");
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (NodeLockedException exception)
        {
            _log.LogCritical("{Message}", exception.Message);
            Environment.ExitCode = 1;
            _lifetime.StopApplication();
        }
    }

    private async Task TakeAgainAsync()
    {
        while (true)
        {
            try
            {
                if (await TakeAsync(PatienceAfterLoss, _stopping.Token).ConfigureAwait(false)) return;
                throw new NodeLockedException(Refusal);
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException)
            {
                // The database is away; it comes back.
                await Task.Delay(Retry, _time, _stopping.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>False when another connection has held it for as long as <paramref name="patience"/>.</summary>
    private async Task<bool> TakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            var start = _time.GetTimestamp();
            while (true)
            {
                await using (var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(@key)", connection))
                {
                    command.Parameters.AddWithValue("key", Key);
                    if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true) break;
                }
                if (_time.GetElapsedTime(start) >= patience) return false;
                await Task.Delay(Retry, _time, cancellationToken).ConfigureAwait(false);
            }
            _connection = connection;
            Set(held: true);
            return true;
        }
        finally
        {
            if (_connection != connection) await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> IsAliveAsync()
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT 1", _connection);
            await command.ExecuteScalarAsync(_stopping.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
        {
            return false;
        }
    }

    private async Task DropAsync()
    {
        Set(held: false);
        var connection = _connection;
        _connection = null;
        if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
    }

    private void Set(bool held)
    {
        if (_isHeld == held) return;
        _isHeld = held;
        HeldChanged?.Invoke(this, EventArgs.Empty);
    }

    // The container knows it twice, as itself and as a hosted service, and disposes it as often.
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _stopping.Dispose();
    }
}

/// <summary>Another node serves the database.</summary>
public sealed class NodeLockedException(string message) : Exception(message);
