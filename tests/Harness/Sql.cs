using Npgsql;

namespace PersonaActors.Tests.Harness;

/// <summary>Statements of a test, past the program.</summary>
public static class Sql
{
    public static async Task<int> Run(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> Ask<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public static async Task<List<T>> Rows<T>(string connectionString, string sql, Func<NpgsqlDataReader, T> map)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>As the app login, with the settings that a transaction of ours begins with; with none of them where all are null.</summary>
    public static Task<long> CountAsApp(TestDatabase database, Guid? tenant, Guid? user, string? scope, string sql) => AsApp(database, tenant, user, scope, sql, async reader =>
    {
        await reader.ReadAsync();
        return reader.GetInt64(0);
    });

    /// <summary>How many rows a statement of the app login hits.</summary>
    public static Task<int> RowsAsApp(TestDatabase database, Guid? tenant, Guid? user, string? scope, string sql) => AsApp(database, tenant, user, scope, sql, async reader =>
    {
        await reader.CloseAsync();
        return Math.Max(0, reader.RecordsAffected);
    });

    /// <summary>Refused by a policy or for want of a grant (42501), or as said.</summary>
    public static async Task ShouldBeRefusedAsApp(TestDatabase database, Guid? tenant, Guid? user, string? scope, string sql, string sqlState = "42501")
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => RowsAsApp(database, tenant, user, scope, sql));
        Assert.Equal(sqlState, refusal.SqlState);
    }

    private static async Task<T> AsApp<T>(TestDatabase database, Guid? tenant, Guid? user, string? scope, string sql, Func<NpgsqlDataReader, Task<T>> read)
    {
        await using var connection = new NpgsqlConnection(database.App);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        if ((tenant, user, scope) != (null, null, null))
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', $2, true), set_config('app.scope', $3, true)")
            {
                Parameters =
                {
                    new NpgsqlParameter { Value = tenant?.ToString() ?? "" },
                    new NpgsqlParameter { Value = user?.ToString() ?? "" },
                    new NpgsqlParameter { Value = scope ?? "" },
                },
            });
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await using var reader = await batch.ExecuteReaderAsync();
        if (batch.BatchCommands.Count == 2)
        {
            await reader.NextResultAsync();
        }

        return await read(reader);
    }
}
