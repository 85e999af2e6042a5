using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Storage;

namespace PersonaActors.Bench;

/// <summary>
/// Two thousand clients that come back at once, each with 300 events to catch up on. Reads of the log must grow with the
/// streams and not with the clients: shown by doubling each.
/// </summary>
internal static class RealtimeStorm
{
    private const int Missed = 300;

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var key = await node.ServiceKey();
        await Storm(node, key, 50, 2);
        var (reads, took) = await Storm(node, key, 2000, 10);
        var (readsOfFewer, tookFewer) = await Storm(node, key, 1000, 10);
        var (readsOfMore, tookMore) = await Storm(node, key, 2000, 20);
        // A storm that lasts longer meets more checks, at each of which the pages that were read go: how often each stream was read between two of them.
        static double ByCheck(long reads, TimeSpan took) => reads / Math.Ceiling(took / LogCheck.Period);
        var (each, eachOfFewer, eachOfMore) = (ByCheck(reads, took), ByCheck(readsOfFewer, tookFewer), ByCheck(readsOfMore, tookMore));
        static string Reads(long n) => $"{n.ToString(CultureInfo.InvariantCulture)} reads";
        return
        [
            new($"storm: 2,000 clients of 10 streams, {Missed} events each, all there in {took.TotalSeconds:0.0} s", Reads(reads), "2,000 clients", reads / 2000.0, 0, Score: -reads, AtLeastText: "≤ 60") { AtLeast = -60 },
            new("storm: clients doubled (1,000 → 2,000), between two checks", Reads(reads), Reads(readsOfFewer), each / eachOfFewer, 0, Score: -each / eachOfFewer, AtLeastText: "≤ 1.3 ×") { AtLeast = -1.3 },
            new("storm: streams doubled (10 → 20), between two checks", Reads(readsOfMore), Reads(reads), eachOfMore / each, 0, Score: -eachOfMore / each, AtLeastText: "≤ 2.6 ×") { AtLeast = -2.6 },
        ];
    }

    private static async Task<(long Reads, TimeSpan Took)> Storm(BenchNode node, string key, int clients, int streams)
    {
        var users = new Guid[streams];
        for (var i = 0; i < streams; i++)
        {
            users[i] = await RealtimeUsers.Register(node, $"storm {i}");
            for (var n = 2; n < Missed; n++)
            {
                var batch = node.Database.Begin(RowScope.OfUser(node.Tenant, users[i]));
                batch.Append(StreamName.User(users[i]), users[i], "bench.event", TimeProvider.System.GetUtcNow(), JsonText.EmptyObject);
                await batch.Commit(static () => { });
            }
        }

        var pump = node.Services.GetRequiredService<EventPump>();
        var before = pump.LogReads;
        var start = Stopwatch.GetTimestamp();
        await using var sockets = new Sockets();
        await sockets.Connect(clients, node.Address, "/hubs/persona", key,
            i => $$"""{"type":1,"target":"Subscribe","invocationId":"1","arguments":[[{"stream":"{{StreamName.User(users[i % streams])}}","after":0}]]}""", countWhileGreeting: true);
        await sockets.Reaches((long)clients * Missed);
        return (pump.LogReads - before, Stopwatch.GetElapsedTime(start));
    }
}
