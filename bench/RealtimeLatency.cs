using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Bench;

/// <summary>
/// From commit to client in an open loop: 500 connections, each with a stream of its own, 2,000 events a second that are due
/// at fixed times whether or not the ones before have arrived. What is measured is the way from the commit's answer to the
/// client's socket, and how many never came.
/// </summary>
internal static class RealtimeLatency
{
    private const int Connections = 500;
    private const int PerSecond = 2000;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(8);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var key = await node.ServiceKey();
        var users = new Guid[Connections];
        await Parallel.ForAsync(0, Connections, async (i, _) => users[i] = await RealtimeUsers.Register(node, $"user {i}"));
        var late = new ConcurrentQueue<long>();
        var committed = new ConcurrentDictionary<long, long>();
        await using var sockets = new Sockets
        {
            OnEvents = (_, bytes) =>
            {
                var now = Stopwatch.GetTimestamp();
                var text = bytes.Span;
                for (var at = text.IndexOf("\"n\":"u8); at >= 0; at = text.IndexOf("\"n\":"u8))
                {
                    text = text[(at + 4)..];
                    if (Utf8Parser.TryParse(text, out long n, out _) && committed.TryGetValue(n, out var when))
                    {
                        late.Enqueue(now - when);
                    }
                }
            },
        };
        await sockets.Connect(Connections, node.Address, "/hubs/persona", key, i => RealtimeFanOut.SubscribeTo(StreamName.User(users[i])));

        var warmUp = await Load(node, users, committed, 0, TimeSpan.FromSeconds(2));
        await sockets.Reaches(warmUp);
        late.Clear();
        committed.Clear();
        var before = sockets.Received;
        var sent = await Load(node, users, committed, 1_000_000, Measured);
        var patience = Stopwatch.GetTimestamp();
        while (sockets.Received < before + sent && Stopwatch.GetElapsedTime(patience) < TimeSpan.FromSeconds(10))
        {
            await Task.WhenAny(sockets.Reaches(before + sent), Task.Delay(100));
        }

        var sorted = late.Order().ToArray();
        double At(double share) => sorted.Length == 0 ? double.PositiveInfinity : Stopwatch.GetElapsedTime(0, sorted[(int)((sorted.Length - 1) * share)]).TotalMilliseconds;
        static string Ms(double ms) => ms.ToString("0.00", CultureInfo.InvariantCulture) + " ms";
        var loss = sent - (sockets.Received - before);
        return
        [
            new($"commit → client p50, {Connections} connections, {sent / Measured.TotalSeconds:0}/s open loop", Ms(At(0.5)), "5 ms", At(0.5) / 5, 0, Score: -At(0.5), AtLeastText: "≤ 5 ms") { AtLeast = -5 },
            new("commit → client p99", Ms(At(0.99)), "20 ms", At(0.99) / 20, 0, Score: -At(0.99), AtLeastText: "≤ 20 ms") { AtLeast = -20 },
            new("commit → client p99.9", Ms(At(0.999)), "-", 0, 0, Score: 0, AtLeastText: "-"),
            new("commit → client loss", loss.ToString(CultureInfo.InvariantCulture), "0", loss, 0, Score: -loss, AtLeastText: "0 lost"),
        ];
    }

    private static async Task<long> Load(BenchNode node, Guid[] users, ConcurrentDictionary<long, long> committed, long first, TimeSpan time)
    {
        var feed = node.Services.GetRequiredService<EventFeed>();
        var start = Stopwatch.GetTimestamp();
        var writes = new List<Task>();
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            var due = (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * PerSecond);
            for (; sent < due; sent++)
            {
                writes.Add(Write(node, feed, users[sent * 7919 % users.Length], first + sent, committed));
            }

            await Task.Delay(1);
        }

        await Task.WhenAll(writes);
        return sent;
    }

    private static async Task Write(BenchNode node, EventFeed feed, Guid user, long n, ConcurrentDictionary<long, long> committed)
    {
        await Task.Yield();
        var batch = node.Database.Begin(RowScope.OfUser(node.Tenant, user));
        batch.Append(StreamName.User(user), user, "bench.event", TimeProvider.System.GetUtcNow(), new JsonText($$"""{"n":{{n}}}"""));
        var events = await batch.Commit(static () => { });
        committed[n] = Stopwatch.GetTimestamp();
        feed.Announce(node.Tenant, events);
    }
}
