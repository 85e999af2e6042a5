using System.Collections.Immutable;
using System.Data;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Storage.Imports;

/// <summary>A user, persona, personality, persona to choose or channel that wasn't there before.</summary>
/// <param name="Owner">Of a persona.</param>
public sealed record NewThing(string Kind, string Id, Guid? Owner);

/// <summary>
/// A transaction of more than one round trip, for what is applied whole or not at all and needs to look in between. Only
/// imports have one; it takes as long as it takes.
/// </summary>
public sealed class ImportTransaction : IAsyncDisposable
{
    private const int TimeoutSeconds = 600;

    private readonly Database _database;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly List<StreamEvent> _events = [];

    private ImportTransaction(Database database, RowScope scope, NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        _database = database;
        Scope = scope;
        _connection = connection;
        _transaction = transaction;
    }

    private RowScope Scope { get; }

    /// <summary>What was told, with numbers; true once it is committed.</summary>
    public IReadOnlyList<StreamEvent> Events => _events;

    // What was staged a moment ago has no statistics: taken for a few rows, it would be looked through once for each of many.
    private const string LockSql = "SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1::text, 0)), set_config('enable_nestloop', 'off', true)";

    /// <summary>One at a time in a tenant.</summary>
    public static async Task<ImportTransaction> Begin(Database database, Guid tenant, CancellationToken cancel)
    {
        var begun = await Open(database, tenant, IsolationLevel.ReadCommitted, cancel);
        try
        {
            await begun.Read(LockSql, [Sql.Uuid(tenant)], static row => row.FieldCount, cancel);
            return begun;
        }
        catch
        {
            await begun.DisposeAsync();
            throw;
        }
    }

    /// <summary>For who only reads: everything as of one moment.</summary>
    public static Task<ImportTransaction> Snapshot(Database database, Guid tenant, CancellationToken cancel) => Open(database, tenant, IsolationLevel.RepeatableRead, cancel);

    private static async Task<ImportTransaction> Open(Database database, Guid tenant, IsolationLevel isolation, CancellationToken cancel)
    {
        var scope = RowScope.OfTenant(tenant);
        var connection = await database.OpenImport(cancel);
        try
        {
            var begun = new ImportTransaction(database, scope, connection, await connection.BeginTransactionAsync(isolation, cancel));
            await begun.Run(database.Begin(scope));
            return begun;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public ScopedBatch Batch() => _database.Begin(Scope);

    public async Task Run(ScopedBatch batch) => _events.AddRange(await batch.RunWithin(_connection, TimeoutSeconds));

    public async Task<int> Run(string sql, NpgsqlParameter[] parameters, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, _connection, _transaction) { CommandTimeout = TimeoutSeconds };
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    public async Task<List<T>> Read<T>(string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, _connection, _transaction) { CommandTimeout = TimeoutSeconds };
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    private const string CatalogueVersionSql = "SELECT coalesce((SELECT c.version FROM catalogues c WHERE c.tenant_id = $1), 0)";

    public async Task<long> CatalogueVersion(Guid tenant, CancellationToken cancel) => (await Read(CatalogueVersionSql, [Sql.Uuid(tenant)], row => row.GetInt64(0), cancel))[0];

    private const string RaiseUserSql = "UPDATE users SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING version";

    /// <returns>The version that the user has now.</returns>
    public async Task<long> RaiseUser(Guid tenant, Guid user, DateTimeOffset now, CancellationToken cancel) =>
        (await Read(RaiseUserSql, [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Time(now)], row => row.GetInt64(0), cancel))[0];

    public Task Commit(CancellationToken cancel) => _transaction.CommitAsync(cancel);

    /// <summary>System prompts and global LLM configs, as it sees them.</summary>
    public async Task<CatalogueView> Catalogue(Guid tenant, CancellationToken cancel) => new(
        (await Read(CatalogueStore.PromptsSql, [Sql.Uuid(tenant)], CatalogueStore.MapPrompt, cancel)).ToImmutableDictionary(prompt => prompt.Id),
        (await Read(LlmConfigStore.GlobalSql, [Sql.Uuid(tenant)], LlmConfigStore.Map, cancel)).ToImmutableDictionary(config => config.Id),
        ImmutableDictionary<Guid, FocusModeView>.Empty);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
