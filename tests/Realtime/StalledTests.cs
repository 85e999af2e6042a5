using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Gateway.Realtime;

namespace PersonaActors.Tests.Realtime;

/// <summary>Clients that don't read, beside clients that do.</summary>
[Collection(nameof(Alone))]
public sealed class StalledTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private const int Stalled = 100;
    private const int Events = 200;
    private const int PerSecond = 200;
    private const int Rounds = 3;

    // So large, on average, that a stalled client goes the whole way in one round: what lies in the sockets fills, then its queue, and it is cut.
    private const int Size = 8_000;

    private Node Node => fixture.Node;

    [Fact]
    public Task A_hundred_stalled_clients_are_cut_with_bounded_memory_and_the_others_notice_nothing() => Seeded.Run(async random =>
    {
        var user = await fixture.Service.Register("Stalled");
        var token = await Node.ServiceKey();
        var roster = Node.Services.GetRequiredService<ConnectionRoster>();
        await using var reader = await RawSocket.Connect(Node.Address, token, receiveBuffer: 256 * 1024);
        await reader.Subscribe($"user:{user}");
        var others = roster.Count;
        await Measure(reader, user, random);

        // By turns, so that what else the machine does is in both.
        List<TimeSpan> alone = [], among = [];
        for (var round = 0; round < Rounds; round++)
        {
            alone.Add(await Measure(reader, user, random));
            var stalled = await Task.WhenAll(Enumerable.Range(0, Stalled).Select(_ => RawSocket.Connect(Node.Address, token)));
            await Task.WhenAll(stalled.Select(socket => socket.Subscribe($"user:{user}")));
            Assert.Equal(Stalled + others, roster.Count);
            var before = GC.GetTotalMemory(true);
            among.Add(await Measure(reader, user, random));
            var after = GC.GetTotalMemory(true);

            // A bounded queue of shared bytes and a transport buffer each, nothing that grows with what was sent.
            Assert.True(after - before < Stalled * 1024 * 1024, $"{Stalled} stalled clients hold {(after - before) / 1024} KiB");
            if (round == 0)
            {
                await Eventually.True("the stalled are cut", () => Task.FromResult(roster.Count == others));
            }

            foreach (var socket in stalled)
            {
                await socket.DisposeAsync();
            }

            await Eventually.True("the stalled are gone", () => Task.FromResult(roster.Count == others));
        }

        // A single millisecond that each of them held up the others would make a hundred an event.
        Assert.True(Median(among) < 3 * Median(alone) + TimeSpan.FromMilliseconds(25),
            $"p99 was {string.Join(", ", alone.Select(p99 => $"{p99.TotalMilliseconds:0.0}"))} ms alone and {string.Join(", ", among.Select(p99 => $"{p99.TotalMilliseconds:0.0}"))} ms among stalled clients");
    });

    [Fact]
    public async Task A_client_that_stalled_reads_why_it_was_closed_and_resumes_without_loss()
    {
        var user = await fixture.Service.Register("Late reader");
        var stream = $"user:{user}";
        var token = await Node.ServiceKey();
        var writer = new StreamWriter(Node);
        await using var socket = await RawSocket.Connect(Node.Address, token);
        await socket.Subscribe(stream);
        for (var i = 0; i < Events; i++)
        {
            await writer.Write(user, new string('x', Size));
        }

        var last = 2L;
        string? reason = null;
        while (reason is null && await socket.Receive() is { } message)
        {
            foreach (var e in (int?)message["type"] == 1 ? message["arguments"]![0]!.AsArray() : [])
            {
                Assert.Equal(++last, (long)e!["seq"]!);
            }

            reason = (int?)message["type"] == 7 ? (string?)message["error"] : null;
        }

        Assert.Contains("slow_consumer", reason, StringComparison.Ordinal);
        Assert.InRange(last, 2, Events + 1);
        var again = await fixture.Clients.Raw(Node.Address, token);
        await again.Subscribe(stream, null, last);
        Assert.Equal(Enumerable.Range((int)last + 1, Events + 2 - (int)last).Select(n => (long)n), (await again.EventsUntil(Events + 2)).Select(e => (long)e["seq"]!));
    }

    /// <summary>How late events reach a client that reads, from their commit, at the 99th percentile of an open loop.</summary>
    private async Task<TimeSpan> Measure(RawSocket reader, Guid user, Random random)
    {
        var writer = new StreamWriter(Node);
        var committed = new ConcurrentDictionary<long, long>();
        var writing = Task.Run(async () =>
        {
            var since = Stopwatch.GetTimestamp();
            using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1) / PerSecond);
            for (var i = 0; i < Events; i++)
            {
                while (i > Stopwatch.GetElapsedTime(since).TotalSeconds * PerSecond)
                {
                    await pace.WaitForNextTickAsync();
                }

                await writer.Write(user, new string('x', random.Next(Size / 2, 3 * Size / 2)), committed: seq => committed[seq] = Stopwatch.GetTimestamp());
            }
        });
        var late = new List<TimeSpan>();
        while (late.Count < Events)
        {
            var message = await reader.Receive() ?? throw new InvalidOperationException("the reading client was cut");
            var now = Stopwatch.GetTimestamp();
            Assert.False((int?)message["type"] == 7, $"the reading client was closed: {message["error"]}");
            foreach (var e in (int?)message["type"] == 1 ? message["arguments"]![0]!.AsArray() : [])
            {
                // The pump's own look into the log may be even faster than the announcement.
                late.Add(Stopwatch.GetElapsedTime(committed.GetValueOrDefault((long)e!["seq"]!, now), now));
            }
        }

        await writing;
        late.Sort();
        return late[(int)(late.Count * 0.99)];
    }

    private static TimeSpan Median(List<TimeSpan> times) => times.Order().ElementAt(times.Count / 2);
}
