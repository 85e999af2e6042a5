using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Bench;

/// <summary>
/// A hundred thousand live focus sessions, whose ticks fall due at every moment of five minutes: how late they run, what a
/// session costs in memory asleep and awake, and how soon the node is ready again after kill -9. The anchors are the limits.
/// </summary>
internal static class FocusSessions
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("BENCH_FOCUS_SESSIONS") ?? "100000", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(45);

    // After the seeding, so that the first tick falls due when the node is up.
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(15 + (Count / 2500));

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var before = Memory();
        var from = await Seed(node);
        await WaitUntil(from - TimeSpan.FromSeconds(1));
        var asleep = Math.Max(0, Memory() - before) / (double)Count;
        await WaitUntil(from + Measured);
        var awake = Math.Max(0, Memory() - before);
        var late = await Late(node.On.Superuser, from);
        var ready = await ReadyAfterKill(node);

        var p99 = late[late.Count * 99 / 100];
        return
        [
            new($"{late.Count:N0} ticks of {Count:N0} live sessions, {Count / 300:N0} a second: p99 late", Seconds(p99), $"p50 {Seconds(late[late.Count / 2])}", 2 / p99, 1, AtLeastText: "≤ 2 s"),
            new("memory of a session whose grain is gone", Bytes(asleep), "4 KiB", 4096 / Math.Max(1, asleep), 1, AtLeastText: "≤ 4 KiB"),
            new("memory of a session awake", Bytes(awake / (double)late.Count), "32 KiB", 32768 / Math.Max(1, awake / (double)late.Count), 1, AtLeastText: "≤ 32 KiB"),
            new("ready again after kill -9", Seconds(ready), "10 s", 10 / ready, 1, AtLeastText: "≤ 10 s"),
        ];
    }

    private static async Task WaitUntil(DateTimeOffset at)
    {
        var left = at - TimeProvider.System.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left);
        }
    }

    /// <returns>When the first tick falls due.</returns>
    private static async Task<DateTimeOffset> Seed(BenchNode node)
    {
        var first = TimeProvider.System.GetUtcNow() + Lead;
        await LiveSessions.Seed(node.On.Superuser, node.Tenant, Count, first, TimeSpan.FromMinutes(5));
        return first;
    }

    private static async Task<List<double>> Late(string superuser, DateTimeOffset from)
    {
        await using var connection = new NpgsqlConnection(superuser);
        await connection.OpenAsync();
        // What was due within the measured time and has not run counts as late as it is by now.
        await using var command = new NpgsqlCommand(
            """
            SELECT extract(epoch FROM coalesce(e.ts, $2) - (s.start_time + interval '5 minutes'))::float8 AS late
            FROM focus_sessions s LEFT JOIN focus_events e ON e.tenant_id = s.tenant_id AND e.session_id = s.id AND e.tick = 1
            WHERE s.start_time + interval '5 minutes' BETWEEN $1 AND $2 ORDER BY late
            """, connection);
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = from + Measured - TimeSpan.FromSeconds(1) });
        await using var reader = await command.ExecuteReaderAsync();
        var late = new List<double>();
        while (await reader.ReadAsync())
        {
            late.Add(reader.GetDouble(0));
        }

        return late;
    }

    private static async Task<double> ReadyAfterKill(BenchNode node)
    {
        // One node a database: this process's own leaves first.
        await node.Services.GetRequiredService<IHost>().StopAsync();
        var port = NodeProcess.FreePort();
        using (var doomed = await NodeProcess.Start(node.On, port))
        {
            await doomed.Kill();
        }

        var since = Stopwatch.GetTimestamp();
        using var again = await NodeProcess.Start(node.On, port);
        return Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private static long Memory() => GC.GetTotalMemory(forceFullCollection: true);

    private static string Seconds(double seconds) => $"{seconds.ToString("0.000", CultureInfo.InvariantCulture)} s";

    private static string Bytes(double bytes) => $"{bytes.ToString("N0", CultureInfo.InvariantCulture)} B";
}
