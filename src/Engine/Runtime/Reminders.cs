using Npgsql;

namespace PersonaActors.Engine;

/// <summary>A stored reminder that is due. <paramref name="Due"/> is also its version: only that tick of it is settled.</summary>
internal sealed record DueReminder(string Grain, string Key, string Name, DateTimeOffset First, TimeSpan Period, DateTimeOffset Due)
{
    /// <summary>The first tick after <paramref name="now"/>; those that were missed are passed over.</summary>
    internal DateTimeOffset After(DateTimeOffset now)
    {
        if (now < First) return First;
        var passed = (now - First).Ticks / Period.Ticks;
        return First + TimeSpan.FromTicks((passed + 1) * Period.Ticks);
    }
}

/// <summary>The table of reminders: what is due is a column, and an index finds it.</summary>
internal sealed class Reminders(EngineDatabase database, TimeProvider time)
{
    internal static readonly TimeSpan ShortestPeriod = TimeSpan.FromMinutes(1);

    private const string RegisterSql =
        """
        INSERT INTO reminders (grain, key, name, first_at, period, due_at) VALUES ($1, $2, $3, $4, $5, $4)
        ON CONFLICT (grain, key, name) DO UPDATE SET first_at = excluded.first_at, period = excluded.period, due_at = excluded.due_at
        """;

    private const string UnregisterSql = "DELETE FROM reminders WHERE grain = $1 AND key = $2 AND name = $3";

    private const string GetSql = "SELECT name FROM reminders WHERE grain = $1 AND key = $2 AND name = $3";

    private const string DueSql =
        "SELECT grain, key, name, first_at, period, due_at FROM reminders WHERE due_at <= $1 ORDER BY due_at LIMIT $2";

    private const string NextSql = "SELECT min(due_at) FROM reminders WHERE due_at > $1";

    private const string SettleSql =
        """
        UPDATE reminders r SET due_at = s.next
        FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS s (grain, key, name, due, next)
        WHERE r.grain = s.grain AND r.key = s.key AND r.name = s.name AND r.due_at = s.due
        """;

    /// <summary>A reminder was registered that is due at the given time.</summary>
    internal event Action<DateTimeOffset>? Registered;

    internal async Task<IGrainReminder> RegisterAsync(Activation activation, string name, TimeSpan dueTime, TimeSpan period)
    {
        // PostgreSQL keeps microseconds: rounded up, so that it is never early.
        var asked = (time.GetUtcNow() + dueTime).UtcTicks;
        var first = new DateTimeOffset((asked + TimeSpan.TicksPerMicrosecond - 1) / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
        await using var command = Command(RegisterSql, activation, name);
        command.Parameters.Add(new() { Value = first });
        command.Parameters.Add(new() { Value = period });
        await command.ExecuteNonQueryAsync();
        Registered?.Invoke(first);
        return new Registration(name);
    }

    internal async Task UnregisterAsync(Activation activation, string name)
    {
        await using var command = Command(UnregisterSql, activation, name);
        await command.ExecuteNonQueryAsync();
    }

    internal async Task<IGrainReminder?> GetAsync(Activation activation, string name)
    {
        await using var command = Command(GetSql, activation, name);
        return await command.ExecuteScalarAsync() is string found ? new Registration(found) : null;
    }

    /// <summary>What is due, oldest first, and when the next one after it is.</summary>
    internal async Task<(List<DueReminder> Due, DateTimeOffset? Next)> ReadDueAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.Source.CreateBatch();
        batch.BatchCommands.Add(new(DueSql) { Parameters = { new() { Value = now.ToUniversalTime() }, new() { Value = limit } } });
        batch.BatchCommands.Add(new(NextSql) { Parameters = { new() { Value = now.ToUniversalTime() } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var due = new List<DueReminder>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            due.Add(new(reader.GetString(0), reader.GetString(1), reader.GetString(2),
                reader.GetFieldValue<DateTimeOffset>(3), reader.GetTimeSpan(4), reader.GetFieldValue<DateTimeOffset>(5)));
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (due, reader.IsDBNull(0) ? null : reader.GetFieldValue<DateTimeOffset>(0));
    }

    /// <summary>Sets each to its next tick, unless it was registered anew meanwhile.</summary>
    internal async Task SettleAsync(IReadOnlyCollection<DueReminder> delivered, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var command = database.Source.CreateCommand(SettleSql);
        command.Parameters.Add(new() { Value = delivered.Select(reminder => reminder.Grain).ToArray() });
        command.Parameters.Add(new() { Value = delivered.Select(reminder => reminder.Key).ToArray() });
        command.Parameters.Add(new() { Value = delivered.Select(reminder => reminder.Name).ToArray() });
        command.Parameters.Add(new() { Value = delivered.Select(reminder => reminder.Due).ToArray() });
        command.Parameters.Add(new() { Value = delivered.Select(reminder => reminder.After(now)).ToArray() });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlCommand Command(string sql, Activation activation, string name)
    {
        var command = database.Source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = activation.Kind.Name });
        command.Parameters.Add(new() { Value = activation.Key });
        command.Parameters.Add(new() { Value = name });
        return command;
    }

    private sealed record Registration(string ReminderName) : IGrainReminder;
}
