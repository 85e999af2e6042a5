using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage;

/// <summary>
/// One command's transaction in one round trip. A batch without BEGIN is one implicit transaction: its first command
/// sets whose rows it may see, for that transaction only, and the rest are the rows, their events and the stored answer.
/// Either all of it happens or nothing.
/// </summary>
public sealed partial class ScopedBatch
{
    private readonly Database _database;
    private readonly List<NpgsqlBatchCommand> _commands = new(6);
    private readonly List<Appended> _appended = new(2);
    private readonly RowScope _scope;
    private readonly OwnerEpoch? _epoch;
    private Command? _answered;
    private int _resultSets = 1;
    private bool _hasTasks;

    internal ScopedBatch(Database database, RowScope scope, OwnerEpoch? epoch)
    {
        _database = database;
        _scope = scope;
        _epoch = epoch;
        _commands.Add(scope.ToCommand());
    }

    private readonly record struct Appended(int ResultSet, string Stream, Guid? Owner, Guid Id, string Type, DateTimeOffset At, JsonText Data)
    {
        public StreamEvent ToEvent(string epoch, long seq) => new(Stream, epoch, seq, Id, Type, At, Data);
    }

    /// <summary>A statement that returns no rows.</summary>
    public ScopedBatch Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        _commands.Add(command);
        return this;
    }

    /// <summary>A change that must hit its row. The statement ends in <c>SELECT must_hit(count(*), '…') FROM changed</c>, which fails the batch otherwise.</summary>
    public ScopedBatch AddGuarded(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        _resultSets++;
        return Add(sql, parameters);
    }

    private const string AppendEvent = "SELECT append_event($1, $2, $3, $4, $5, $6, $7, $8)";

    /// <summary>Appends to a stream. Its row stays locked until the commit, so a second writer waits and numbers are dense in commit order.</summary>
    /// <param name="owner">The user whose stream it is: nobody else's transaction sees it.</param>
    /// <param name="id">Of what has an id of its own, which is the event's then; else it gets one.</param>
    public ScopedBatch Append(string stream, Guid? owner, string type, DateTimeOffset at, JsonText data, Guid? id = null)
    {
        var known = id ?? Guid.CreateVersion7(at);
        _appended.Add(new Appended(_resultSets, stream, owner, known, type, at, data));
        return AddGuarded(AppendEvent,
            Sql.Uuid(_scope.Tenant), Sql.Text(stream), Sql.Uuid(owner), Sql.Uuid(known), Sql.Text(type), Sql.Time(at), Sql.Json(data.Json), Sql.Bigint(_epoch?.Value));
    }

    private const string StoreAnswer = """
        INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    private const string StoreAnswerAt = """
        INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at, epoch, seq)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT seq FROM streams WHERE tenant_id = $1 AND stream = $9))
        """;

    private const string StoreSystemAnswerAt = """
        INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at, epoch, seq)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT seq FROM streams WHERE tenant_id IS NULL AND stream = $9))
        """;

    /// <summary>The command's answer, stored with what it did, and with the position of the stream that was told so far.</summary>
    public ScopedBatch Answer<T>(Command command, Guid? owner, Outcome<T> outcome, DateTimeOffset at)
        where T : class
    {
        _answered = command;
        Add(_appended.Count == 0 ? StoreAnswer : _scope.Tenant is null ? StoreSystemAnswerAt : StoreAnswerAt,
            Sql.Uuid(_scope.Tenant), Sql.Uuid(command.Caller), Sql.Text(command.Id), Sql.Uuid(owner), Sql.Text(command.Fingerprint),
            Sql.Json(JsonText.From(outcome).Json), Sql.Time(at));
        if (_appended.Count > 0)
        {
            _commands[^1].Parameters.Add(Sql.Text(_database.Epoch));
            _commands[^1].Parameters.Add(Sql.Text(_appended[^1].Stream));
        }

        return this;
    }

    private const string AddTask = """
        INSERT INTO outbox_tasks (tenant_id, id, kind, payload, run_after, created_at) VALUES ($1, $2, $3, $4, $5, $5)
        """;

    /// <summary>Work to be done after the commit, at least once, by the outbox worker.</summary>
    public ScopedBatch Task(string kind, JsonText payload, DateTimeOffset at)
    {
        _hasTasks = true;
        return Add(AddTask, Sql.Uuid(_scope.Tenant), Sql.Uuid(Guid.CreateVersion7(at)), Sql.Text(kind), Sql.Json(payload.Json), Sql.Time(at));
    }

    /// <summary>
    /// Runs the transaction and answers its events with their numbers, also when the connection broke before it was answered:
    /// then one looks whether it happened (<see cref="Settle"/>). When it didn't, or another writer was first, or nobody can
    /// say, <paramref name="leave"/> is called (a grain passes DeactivateOnIdle) and <see cref="ActivationOutdatedException"/>
    /// thrown: the gateway tries again, from fresh state, with the same command id.
    /// </summary>
    public async Task<IReadOnlyList<StreamEvent>> Commit(Action leave, CancellationToken cancel = default)
    {
        NpgsqlConnection connection;
        try
        {
            connection = await _database.OpenApp(cancel);
        }
        catch (NpgsqlException e)
        {
            throw new StorageUnavailableException("The database can't be reached; nothing was written.", e);
        }

        NpgsqlException lost;
        await using (connection)
        {
            try
            {
                return Committed(await Run(connection));
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation && e.TableName == "command_log")
            {
                // Whoever was first may have been so after this activation was loaded.
                leave();
                throw new CommandRepeatedException("A command with this id was already carried out.");
            }
            catch (PostgresException e) when (e.IsCollision())
            {
                leave();
                throw new ActivationOutdatedException("Another writer changed the row first.", e);
            }
            catch (PostgresException e) when (e.IsOutage())
            {
                throw new StorageUnavailableException("The database gave up; nothing was written.", e);
            }
            catch (NpgsqlException e) when (e is not PostgresException)
            {
                lost = e;
            }
        }

        try
        {
            return await Settle() is { } events ? Committed(events) : throw new ActivationOutdatedException("The connection broke during the commit.", lost);
        }
        catch (Exception e) when (e is ActivationOutdatedException or CommandRepeatedException)
        {
            leave();
            throw;
        }
    }

    private IReadOnlyList<StreamEvent> Committed(IReadOnlyList<StreamEvent> events)
    {
        if (_hasTasks)
        {
            _database.TellTasksCommitted();
        }

        return events;
    }

    /// <summary>In a transaction that goes on: whoever began it commits it.</summary>
    internal Task<IReadOnlyList<StreamEvent>> RunWithin(NpgsqlConnection connection, int timeoutSeconds) => Run(connection, timeoutSeconds);

    private async Task<IReadOnlyList<StreamEvent>> Run(NpgsqlConnection connection, int? timeoutSeconds = null)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Timeout = timeoutSeconds ?? batch.Timeout;
        foreach (var command in _commands)
        {
            batch.BatchCommands.Add(command);
        }

        var events = new StreamEvent[_appended.Count];
        // Not cancellable from here on: a cancelled commit would be one of unknown fate.
        await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
        var resultSet = 0;
        for (var i = 0; i < events.Length; i++)
        {
            var appended = _appended[i];
            for (; resultSet < appended.ResultSet; resultSet++)
            {
                await reader.NextResultAsync(CancellationToken.None);
            }

            await reader.ReadAsync(CancellationToken.None);
            events[i] = appended.ToEvent(_database.Epoch, reader.GetInt64(0));
        }

        while (await reader.NextResultAsync(CancellationToken.None))
        {
            // Errors of later statements surface here; they have no rows of interest.
        }

        return events;
    }
}

internal static class RowScopeCommand
{
    private const string SetScope =
        "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', $2, true), set_config('app.scope', $3, true)";

    public static NpgsqlBatchCommand ToCommand(this RowScope scope)
    {
        var command = new NpgsqlBatchCommand(SetScope);
        command.Parameters.Add(Sql.Text(scope.Tenant?.ToString() ?? ""));
        command.Parameters.Add(Sql.Text(scope.User?.ToString() ?? ""));
        command.Parameters.Add(Sql.Text(scope.Scope ?? ""));
        return command;
    }
}
