using System.Diagnostics;
using Npgsql;

namespace PersonaActors.Bench;

/// <summary>Writers that each write as soon as they have been answered, and how one would write by hand.</summary>
internal static class WriteLoad
{
    /// <summary>How many were answered a second.</summary>
    internal static async Task<double> PerSecond(int writers, TimeSpan time, Func<int, Task> write)
    {
        var start = Stopwatch.GetTimestamp();
        var until = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var count = 0L;
            for (; Stopwatch.GetTimestamp() < until; count++)
            {
                await write(writer);
            }

            return count;
        })));
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    internal static NpgsqlBatchCommand With(string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
