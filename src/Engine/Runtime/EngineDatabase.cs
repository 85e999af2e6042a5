using Npgsql;

namespace PersonaActors.Engine;

/// <summary>Where reminders and grain state are kept: a small pool of its own, closed while the node lock is lost.</summary>
internal sealed class EngineDatabase : IAsyncDisposable, IDisposable
{
    private readonly NpgsqlDataSource? _source;
    private readonly NodeLock? _nodeLock;

    internal EngineDatabase(string? connectionString, NodeLock? nodeLock)
    {
        _nodeLock = nodeLock;
        if (connectionString is null) return;
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "personactors engine" };
        settings.MaxPoolSize = Math.Min(settings.MaxPoolSize, 10);
        // A handful of statements, each a transaction: prepared once, and nothing to reset between them.
        settings.MaxAutoPrepare = Math.Max(settings.MaxAutoPrepare, 20);
        settings.AutoPrepareMinUsages = 2;
        settings.NoResetOnClose = true;
        _source = NpgsqlDataSource.Create(settings);
    }

    internal bool IsConfigured => _source is not null;

    /// <summary>Nobody else can be writing: there is no node lock to lose, or it is held.</summary>
    internal bool IsOurs => _nodeLock is null or { IsHeld: true };

    internal NpgsqlDataSource Source
    {
        get
        {
            if (_source is null)
                throw new InvalidOperationException($"Reminders and grain state need a database: set {nameof(EngineOptions)}.{nameof(EngineOptions.ConnectionString)}.");
            if (!IsOurs) throw new SiloUnavailableException("The node lock is lost; nothing is written before it is held again.");
            return _source;
        }
    }

    internal static bool IsAway(Exception exception) =>
        exception is NpgsqlException or TimeoutException or IOException or SiloUnavailableException;

    public ValueTask DisposeAsync() => _source?.DisposeAsync() ?? ValueTask.CompletedTask;

    public void Dispose() => _source?.Dispose();
}
