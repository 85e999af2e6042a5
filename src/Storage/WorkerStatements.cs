namespace PersonaActors.Storage;

/// <summary>Statements of the worker's login, each by itself: for background work across tenants, which names the tenant in every predicate.</summary>
internal static class WorkerStatements
{
    public static async Task<List<T>> Many<T>(
        this NpgsqlDataSource worker, string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(worker, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    public static async Task<long> Count(this NpgsqlDataSource worker, string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(worker, sql, parameters);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public static async Task Run(this NpgsqlDataSource worker, string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(worker, sql, parameters);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlCommand Command(NpgsqlDataSource worker, string sql, NpgsqlParameter[] parameters)
    {
        var command = worker.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
