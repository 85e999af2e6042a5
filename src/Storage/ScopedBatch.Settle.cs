using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage;

/// <summary>A commit whose answer was lost has happened or not; here one looks, so that what follows a commit follows it all the same.</summary>
public sealed partial class ScopedBatch
{
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The commit's answer was lost: looks whether it happened. If it isn't there it may still land; so the stream is claimed,
    /// which waits for whoever holds its row and refuses who comes later, and then one looks again. What appends nothing isn't
    /// waited for: if it lands late, the repeat meets the command's id.
    /// </summary>
    /// <returns>The events, if it happened; nothing if it didn't and won't, or if the database can't be reached in time.</returns>
    private async Task<IReadOnlyList<StreamEvent>?> Settle()
    {
        using var patience = new CancellationTokenSource(SettleWithin);
        while (_appended.Count > 0 || _answered is not null)
        {
            try
            {
                await using var connection = await _database.OpenApp(patience.Token);
                return await Look(connection, patience.Token)
                    ?? (_epoch is not null && _appended.Count > 0 && await Claim(connection, patience.Token) ? await Look(connection, patience.Token) : null);
            }
            catch (Exception e) when (patience.IsCancellationRequested && e is OperationCanceledException or NpgsqlException)
            {
                return null;
            }
            catch (NpgsqlException)
            {
                // Other connections may have broken with it, or the server is on its way back.
                await System.Threading.Tasks.Task.Delay(SettlePause, CancellationToken.None);
            }
        }

        return null;
    }

    private const string LookSql = """
        SELECT e.id, e.seq FROM events e
        WHERE (e.tenant_id = $1 OR ($1::uuid IS NULL AND e.tenant_id IS NULL)) AND e.stream = $2 AND e.id = ANY ($3)
        UNION ALL
        SELECT NULL, NULL FROM command_log c
        WHERE (c.tenant_id = $1 OR ($1::uuid IS NULL AND c.tenant_id IS NULL)) AND c.caller = $4 AND c.id = $5
        """;

    private async Task<IReadOnlyList<StreamEvent>?> Look(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(_scope.ToCommand());
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LookSql)
        {
            Parameters =
            {
                Sql.Uuid(_scope.Tenant), Sql.Text(_appended.Count > 0 ? _appended[0].Stream : ""), Sql.Uuids([.. _appended.Select(appended => appended.Id)]),
                Sql.Uuid(_answered?.Caller), Sql.Text(_answered?.Id),
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        var answered = false;
        var numbers = new Dictionary<Guid, long>();
        while (await reader.ReadAsync(cancel))
        {
            if (reader.IsDBNull(0))
            {
                answered = true;
            }
            else
            {
                numbers[reader.GetGuid(0)] = reader.GetInt64(1);
            }
        }

        return numbers.Count == _appended.Count && (answered || _appended.Count > 0) ? _appended.ConvertAll(appended => appended.ToEvent(_database.Epoch, numbers[appended.Id]))
            // Another try of the same command was first, or the events are erased again already.
            : answered ? throw new CommandRepeatedException("The command was already carried out.")
            : null;
    }

    private const string ClaimSql = "SELECT claim_stream($1, $2, $3, $4)";

    /// <returns>Not if there is nothing to be claimed: the tenant itself isn't there.</returns>
    private async Task<bool> Claim(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(_scope.ToCommand());
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ClaimSql)
        {
            Parameters = { Sql.Uuid(_scope.Tenant), Sql.Text(_epoch!.Stream), Sql.Uuid(_appended[0].Owner), Sql.Bigint(_epoch.Value + 1) },
        });
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            await reader.NextResultAsync(cancel);
            await reader.ReadAsync(cancel);
            var claimed = reader.GetInt64(0);
            await reader.CloseAsync();
            _epoch.Value = claimed;
            return true;
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            return false;
        }
    }
}
