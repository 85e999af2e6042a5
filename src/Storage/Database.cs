using Microsoft.Extensions.Logging;

namespace PersonaActors.Storage;

public sealed record DatabaseLogins(string App, string Worker);

/// <summary>
/// The data sources of the app and the worker login. Every statement of the app login goes through a
/// <see cref="ScopedBatch"/>, whose first command says whose rows the transaction may see.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    private readonly NpgsqlDataSource _app;
    private readonly NpgsqlDataSource _import;
    private readonly NpgsqlDataSource _worker;
    private readonly string _listening;
    private volatile string? _epoch;

    public Database(DatabaseLogins logins, ILoggerFactory loggers)
    {
        // More would share the processors with all else on a small machine: with sixteen on two an event reached its client seven times as late.
        _app = Source(logins.App, "personactors app", Math.Max(8, 4 * Environment.ProcessorCount), loggers);
        _import = Source(logins.App, "personactors import", 4, loggers);
        _listening = new NpgsqlConnectionStringBuilder(logins.App) { Pooling = false, KeepAlive = 10, ApplicationName = "personactors listener" }.ConnectionString;
        _worker = Source(logins.Worker, "personactors worker", 4, loggers);
    }

    /// <summary>Another database answers than before, a restored backup: nothing that is known from before holds. Raised before its epoch is named to anybody.</summary>
    public event Action? Replaced;

    /// <summary>Tells a restored backup from its original; read at start, and again every few seconds and whenever the listening connection was lost.</summary>
    public string Epoch => _epoch ?? throw new StorageUnavailableException("The database's epoch is not known yet.");

    public async Task<string> RefreshEpoch(CancellationToken cancel)
    {
        const string sql = "SELECT current_epoch()";
        try
        {
            await using var command = _app.CreateCommand(sql);
            var epoch = (string)(await command.ExecuteScalarAsync(cancel))!;
            if (_epoch is { } before && before != epoch)
            {
                Replaced?.Invoke();
            }

            return _epoch = epoch;
        }
        catch (NpgsqlException e)
        {
            throw new StorageUnavailableException("The database can't be reached.", e);
        }
    }

    /// <summary>Whoever asks the database all the time says here whether it answers nothing any more: then no read is waited for.</summary>
    public Func<bool>? IsSilent { private get; set; }

    /// <summary>An outbox task was committed in this process.</summary>
    public event Action? TasksCommitted;

    internal void TellTasksCommitted() => TasksCommitted?.Invoke();

    /// <param name="epoch">The ownership under which a grain writes; none for who owns nothing.</param>
    public ScopedBatch Begin(RowScope scope, OwnerEpoch? epoch = null) => new(this, scope, epoch);

    private const string EpochSql = """
        SELECT coalesce((SELECT owner_epoch FROM streams WHERE tenant_id = $2 AND stream = $1), 0),
          coalesce((SELECT max(version) FROM orleans_membership_version), 0)
        """;

    private const string SystemEpochSql = """
        SELECT coalesce((SELECT owner_epoch FROM streams WHERE tenant_id IS NULL AND stream = $1), 0),
          coalesce((SELECT max(version) FROM orleans_membership_version), 0)
        """;

    private const string ClaimSql = "SELECT claimed FROM claim_stream($1, $2) AS claimed WHERE claimed IS NOT NULL";

    /// <summary>
    /// What a grain is loaded from, and with it the ownership that it writes under from then on. That one is read first: were it
    /// claimed in between, what is loaded here could write nothing.
    /// </summary>
    public async Task<T?> LoadOwned<T>(RowScope scope, OwnerEpoch epoch, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map)
        where T : class
    {
        var rows = await Read(scope, epoch, sql, parameters, map, null, CancellationToken.None);
        if (await epoch.MustClaim())
        {
            await ReadMany(scope, ClaimSql, [Sql.Uuid(scope.Tenant), Sql.Text(epoch.Stream)], static row => row.GetInt64(0));
            rows = await Read(scope, epoch, sql, [.. parameters.Select(parameter => parameter.Clone())], map, null, CancellationToken.None);
        }

        return rows.Count > 0 ? rows[0] : null;
    }

    public async Task<T?> ReadOne<T>(RowScope scope, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel = default)
        where T : class
    {
        var rows = await ReadMany(scope, sql, parameters, map, cancel);
        return rows.Count > 0 ? rows[0] : null;
    }

    /// <summary>The same of a value, which is null where there is no row.</summary>
    public async Task<T?> ReadValue<T>(RowScope scope, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel = default)
        where T : struct
    {
        var rows = await ReadMany(scope, sql, parameters, map, cancel);
        return rows.Count > 0 ? rows[0] : null;
    }

    public Task<List<T>> ReadMany<T>(RowScope scope, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel = default) =>
        Read(scope, null, sql, parameters, map, null, cancel);

    /// <param name="settings">A statement that makes settings for this transaction.</param>
    public Task<List<T>> ReadMany<T>(
        RowScope scope, string settings, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel) =>
        Read(scope, null, sql, parameters, map, settings, cancel);

    private async Task<List<T>> Read<T>(
        RowScope scope, OwnerEpoch? epoch, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, string? settings, CancellationToken cancel)
    {
        var rows = ReadRows(scope, epoch, sql, parameters, map, settings, cancel);
        await rows.Unless(() => IsSilent?.Invoke() is true, TimeProvider.System);
        return await rows;
    }

    private async Task<List<T>> ReadRows<T>(
        RowScope scope, OwnerEpoch? epoch, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, string? settings, CancellationToken cancel)
    {
        try
        {
            await using var connection = await OpenApp(cancel);
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(scope.ToCommand());
            if (epoch is not null)
            {
                var owned = new NpgsqlBatchCommand(scope.Tenant is null ? SystemEpochSql : EpochSql);
                owned.Parameters.AddRange(StreamOf(scope, epoch));
                batch.BatchCommands.Add(owned);
            }

            if (settings is not null)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(settings));
            }

            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddRange(parameters);
            batch.BatchCommands.Add(command);
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            await reader.NextResultAsync(cancel);
            if (epoch is not null)
            {
                await reader.ReadAsync(cancel);
                (epoch.Value, epoch.Membership) = (reader.GetInt64(0), reader.GetInt32(1));
                await reader.NextResultAsync(cancel);
            }

            if (settings is not null)
            {
                await reader.NextResultAsync(cancel);
            }

            var rows = new List<T>();
            while (await reader.ReadAsync(cancel))
            {
                rows.Add(map(reader));
            }

            return rows;
        }
        catch (PostgresException e) when (!e.IsOutage())
        {
            throw;
        }
        catch (NpgsqlException e)
        {
            throw new StorageUnavailableException("The database can't be reached.", e);
        }
    }

    private static NpgsqlParameter[] StreamOf(RowScope scope, OwnerEpoch epoch) =>
        scope.Tenant is { } tenant ? [Sql.Text(epoch.Stream), Sql.Uuid(tenant)] : [Sql.Text(epoch.Stream)];

    /// <summary>For background work across tenants; its statements name the tenant in every predicate.</summary>
    public NpgsqlDataSource Worker => _worker;

    /// <summary>A connection outside the pool that hears a channel; a server that went away silently is noticed by keep-alives.</summary>
    public async Task<NpgsqlConnection> OpenListening(string channel, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(_listening);
        try
        {
            await connection.OpenAsync(cancel);
            await using var listen = new NpgsqlCommand($"LISTEN {channel}", connection);
            await listen.ExecuteNonQueryAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal ValueTask<NpgsqlConnection> OpenApp(CancellationToken cancel) => _app.OpenConnectionAsync(cancel);

    /// <summary>Of a few of their own: an import holds one for as long as it takes, and stands in nobody's way but another import's.</summary>
    internal ValueTask<NpgsqlConnection> OpenImport(CancellationToken cancel) => _import.OpenConnectionAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _import.DisposeAsync();
        await _worker.DisposeAsync();
    }

    private static NpgsqlDataSource Source(string connectionString, string name, int poolSize, ILoggerFactory loggers)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.ApplicationName ??= name;
        if (!settings.ShouldSerialize("Maximum Pool Size"))
        {
            settings.MaxPoolSize = poolSize;
        }

        if (!settings.ShouldSerialize("Max Auto Prepare"))
        {
            settings.MaxAutoPrepare = 200;
            settings.AutoPrepareMinUsages = 2;
        }

        // For a turn in the pool too, where a thousand may stand in line: that isn't an outage.
        if (!settings.ShouldSerialize("Timeout"))
        {
            settings.Timeout = 10;
        }

        if (!settings.ShouldSerialize("Command Timeout"))
        {
            settings.CommandTimeout = 15;
        }

        // Nothing of ours outlives its transaction in a session, so a connection is given back as it is: the seven statements
        // that would reset it are more than most transactions have.
        settings.NoResetOnClose = true;
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseLoggerFactory(loggers);
        builder.UseVector();
        return builder.Build();
    }
}
