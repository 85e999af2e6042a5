using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Bench;

/// <summary>
/// A hundred thousand reminders, each of a grain of its own, due at every moment of a minute: how late they come, and
/// what they and the grains that they wake cost in memory. The anchor is the limit itself.
/// </summary>
internal static class EngineReminders
{
    private const int Count = 100_000;
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(40);

    internal static readonly ConcurrentQueue<TimeSpan> Late = new();

    internal static async Task<Result[]> RunAsync()
    {
        await using var database = await TestDatabase.Create();
        var before = Memory();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddEngine(options =>
        {
            options.GrainAssemblies.Add(typeof(NudgedGrain).Assembly);
            options.ConnectionString = database.App;
        });
        using var host = builder.Build();
        await StoreAsync(database.Superuser);
        await host.StartAsync();
        await Task.Delay(Lead - TimeSpan.FromSeconds(1));
        var idle = Memory() - before;
        await Task.Delay(Measured);
        var late = Late.Order().ToArray();
        var active = Memory() - before;
        await host.StopAsync();

        var p99 = late[late.Length * 99 / 100];
        return
        [
            new($"{late.Length:N0} ticks of {Count:N0} reminders, {Count / 60:N0} a second: p99 late", Milliseconds(p99), $"p50 {Milliseconds(late[late.Length / 2])}",
                2 / p99.TotalSeconds, 1, AtLeastText: "≤ 2 s"),
            new("memory of a stored reminder", Bytes(idle / (double)Count), "4 KiB", 4096 / Math.Max(1, idle / (double)Count), 1, AtLeastText: "≤ 4 KiB"),
            new("memory of a grain it woke", Bytes(active / (double)late.Length), "32 KiB", 32768 / (active / (double)late.Length), 1, AtLeastText: "≤ 32 KiB"),
        ];
    }

    private static long Memory() => GC.GetTotalMemory(forceFullCollection: true);

    private static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds.ToString("N0", CultureInfo.InvariantCulture)} ms";

    private static string Bytes(double bytes) => $"{bytes.ToString("N0", CultureInfo.InvariantCulture)} B";

    private static async Task StoreAsync(string superuser)
    {
        await using var connection = new NpgsqlConnection(superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO reminders (grain, key, name, first_at, period, due_at)
            SELECT 'nudged', 'session/' || gen_random_uuid(), 'tick', at, interval '1 minute', at
            FROM generate_series(1, $1) i, LATERAL (SELECT $2 + i * interval '1 minute' / $1 AS at) due
            """, connection)
        { Parameters = { new() { Value = Count }, new() { Value = TimeProvider.System.GetUtcNow() + Lead + TimeSpan.FromSeconds(2) } } };
        await command.ExecuteNonQueryAsync();
        await using var analyze = new NpgsqlCommand("VACUUM ANALYZE reminders", connection);
        await analyze.ExecuteNonQueryAsync();
    }
}

public interface INudgedGrain : IGrainWithStringKey
{
    Task<int> Nudged();
}

public sealed class NudgedGrain : Grain, INudgedGrain, IRemindable
{
    private int _nudged;

    public Task<int> Nudged() => Task.FromResult(_nudged);

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        _nudged++;
        // The first tick is when it is due; a later one doesn't come while this measures.
        EngineReminders.Late.Enqueue(status.CurrentTickTime - status.FirstTickTime);
        return Task.CompletedTask;
    }
}
