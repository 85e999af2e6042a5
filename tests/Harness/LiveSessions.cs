using System.Text.Json;
using Npgsql;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Harness;

/// <summary>People who have been in a session for almost five minutes, put past the program: so many can't be waited for.</summary>
public static class LiveSessions
{
    /// <param name="first">When the first of their first ticks falls due; the others follow evenly.</param>
    public static async Task Seed(string superuser, Guid tenant, int count, DateTimeOffset first, TimeSpan within)
    {
        var stamp = new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero).AddTicks(1234560);
        var unknown = RhythmRules.Snapshot(RhythmLevels.Unknown, null, TimeZoneInfo.Utc, stamp);
        var start = new StartState(unknown, EmotionRules.Snapshot(null, unknown, null, []), TaskSnapshot.None);
        var row = new SessionState(
            Guid.Empty, Guid.Empty, null, FocusTimeline.Start(stamp, FocusMode.Deep, new FocusPlan(), 45), NudgeLedger.Empty, FlowWindow.From(stamp),
            null, start, null, null, null, 1).ToRow();
        await using var connection = new NpgsqlConnection(superuser);
        await connection.OpenAsync();
        await Run(connection, """
            INSERT INTO users (tenant_id, id, username, created_at, updated_at)
            SELECT $1, md5('person ' || i)::uuid, 'person ' || i, now(), now() FROM generate_series(1, $2) i
            """, tenant, count);
        await Run(connection, """
            INSERT INTO focus_sessions (tenant_id, id, person_id, mode, status, start_time, estimated_duration, start_state, state, next_tick_at, version)
            SELECT $1, md5('session ' || i)::uuid, md5('person ' || i)::uuid, 'deep', 'active', begun, 45, $4::json,
              replace($5, $6, to_char(begun AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))::json, begun + interval '5 minutes', 1
            FROM generate_series(1, $2) i, LATERAL (SELECT $3 - interval '5 minutes' + i * $7::interval / $2 AS begun) at
            """, tenant, count, first, row.StartState.Json, row.State.Json, JsonSerializer.Serialize(stamp).Trim('"'), within);
        await Run(connection, "ANALYZE users, focus_sessions");
    }

    private static async Task Run(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        foreach (var value in parameters)
        {
            command.Parameters.Add(new() { Value = value });
        }

        await command.ExecuteNonQueryAsync();
    }
}
