namespace PersonaActors.Storage.Imports;

/// <summary>The other database can't be read. What it threw isn't inside: it would be taken for our own database's outage.</summary>
/// <param name="isForGood">Trying again is of no use.</param>
public sealed class SourceException(string message, bool isForGood) : Exception(message)
{
    public bool IsForGood => isForGood;
}

/// <summary>Another database whose tables are taken over: read row by row as JSON, so that columns that aren't there, or are more, do no harm.</summary>
public sealed class LegacySource(string connectionString)
{
    private const int TimeoutSeconds = 30;

    public async Task<long> Count(string table, CancellationToken cancel)
    {
        var rows = await Read($"SELECT count(*) FROM {Quoted(table)}", [], row => row.GetInt64(0), cancel);
        return rows[0];
    }

    /// <param name="key">An expression over the table's row that names it, in whose order they are read.</param>
    public Task<List<StagedRow>> Page(string table, string key, string after, int limit, CancellationToken cancel) => Read(
        $"""SELECT k.key, to_jsonb(t) FROM {Quoted(table)} t, LATERAL (SELECT ({key})::text COLLATE "C" AS key) k WHERE k.key > $1 ORDER BY k.key LIMIT $2""",
        [Sql.Text(after), Sql.Int(limit)], row => new StagedRow(row.GetString(0), new JsonText(row.GetString(1))), cancel);

    /// <summary>The rows that point to some of another table's, each with what it points to.</summary>
    public Task<List<StagedRow>> Of(string table, string column, IEnumerable<Guid> ids, CancellationToken cancel) => Read(
        $"""SELECT t."{column}"::text, to_jsonb(t) FROM {Quoted(table)} t WHERE t."{column}" = ANY ($1)""",
        [Sql.Uuids([.. ids])], row => new StagedRow(row.GetString(0), new JsonText(row.GetString(1))), cancel);

    private async Task<List<T>> Read<T>(string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancel)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "personactors import", Pooling = false, CommandTimeout = TimeoutSeconds };
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancel);
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(parameters);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancel))
            {
                rows.Add(map(reader));
            }

            return rows;
        }
        catch (ArgumentException)
        {
            throw new SourceException("The connection string of the other database can't be understood.", isForGood: true);
        }
        catch (PostgresException e)
        {
            throw new SourceException($"The other database refuses ({e.SqlState}): {e.MessageText}.", isForGood: !e.IsOutage());
        }
        catch (NpgsqlException)
        {
            throw new SourceException("The other database can't be reached.", isForGood: false);
        }
    }

    private static string Quoted(string table) => $"public.\"{table}\"";
}
