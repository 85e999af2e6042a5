using System.Text.Json;
using Npgsql;

namespace PersonaActors.Engine;

/// <summary>The part of a state that its activation uses.</summary>
internal interface IStoredPart
{
    Task ReadStateAsync();
}

/// <summary>A grain's state as a row: its number of writes is the etag, and every statement says which it rests on.</summary>
internal sealed class PersistentState<TState>(Activation activation, string name) : IPersistentState<TState>, IStoredPart
{
    private const string ReadSql =
        "SELECT version, state FROM grain_state WHERE grain = $1 AND key = $2 AND name = $3";

    private const string InsertSql =
        """
        INSERT INTO grain_state (grain, key, name, version, state) VALUES ($1, $2, $3, 1, $4)
        ON CONFLICT DO NOTHING RETURNING version
        """;

    private const string UpdateSql =
        """
        UPDATE grain_state SET state = $4, version = version + 1
        WHERE grain = $1 AND key = $2 AND name = $3 AND version = $5 RETURNING version
        """;

    private const string DeleteSql =
        "DELETE FROM grain_state WHERE grain = $1 AND key = $2 AND name = $3 AND version = $4 RETURNING version";

    private long? _version;

    public TState State { get; set; } = Activator.CreateInstance<TState>();

    public string? Etag => _version?.ToString();

    public bool RecordExists => _version is not null;

    private NpgsqlDataSource Source => activation.Kind.Engine.Database.Source;

    public async Task ReadStateAsync()
    {
        await using var command = Command(ReadSql);
        await using var reader = await command.ExecuteReaderAsync();
        if (await reader.ReadAsync())
        {
            State = JsonSerializer.Deserialize<TState>(reader.GetString(1))!;
            _version = reader.GetInt64(0);
        }
        else
        {
            State = Activator.CreateInstance<TState>();
            _version = null;
        }
    }

    public async Task WriteStateAsync()
    {
        await using var command = Command(_version is null ? InsertSql : UpdateSql);
        command.Parameters.Add(new() { Value = JsonSerializer.Serialize(State), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Json });
        if (_version is { } version) command.Parameters.Add(new() { Value = version });
        _version = (long)(await command.ExecuteScalarAsync() ?? throw await InconsistentAsync());
    }

    public async Task ClearStateAsync()
    {
        if (_version is { } version)
        {
            await using var command = Command(DeleteSql);
            command.Parameters.Add(new() { Value = version });
            if (await command.ExecuteScalarAsync() is null) throw await InconsistentAsync();
        }
        State = Activator.CreateInstance<TState>();
        _version = null;
    }

    private NpgsqlCommand Command(string sql)
    {
        var command = Source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = activation.Kind.Name });
        command.Parameters.Add(new() { Value = activation.Key });
        command.Parameters.Add(new() { Value = name });
        return command;
    }

    private async Task<InconsistentStateException> InconsistentAsync()
    {
        await using var command = Command(ReadSql);
        var stored = (await command.ExecuteScalarAsync())?.ToString();
        return new($"State '{name}' of a {activation.Kind.Name} grain was read as version {Etag ?? "none"} and is stored as version {stored ?? "none"}.",
            stored, Etag);
    }
}
