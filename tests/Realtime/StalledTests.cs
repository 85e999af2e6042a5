using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Realtime;

/// <summary>Clients that don't read, beside clients that do.</summary>
[Collection(nameof(Alone))]
public sealed class StalledTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private const int Stalled = 100;
    private const int Events = 400;
    private static readonly string Text = new('x', 20_000);

    private Node Node => fixture.Node;

    [Fact]
    public async Task A_hundred_stalled_clients_are_cut_with_bounded_memory_and_the_others_notice_nothing()
    {
        var user = await fixture.Service.Register("Stalled");
        var stream = $"user:{user}";
        var token = await Node.ServiceKey();
        var roster = Node.Services.GetRequiredService<ConnectionRoster>();
        await using var reader = await RawSocket.Connect(Node.Address, token, receiveBuffer: 256 * 1024);
        await reader.Subscribe(stream);
        var alone = await Measure(reader, user);

        var others = roster.Count;
        var stalled = await Task.WhenAll(Enumerable.Range(0, Stalled).Select(_ => RawSocket.Connect(Node.Address, token)));
        await Task.WhenAll(stalled.Select(socket => socket.Subscribe(stream)));
        Assert.Equal(Stalled + others, roster.Count);
        GC.Collect();
        var before = GC.GetTotalMemory(true);
        var among = await Measure(reader, user);
        var after = GC.GetTotalMemory(true);

        // A bounded queue of shared bytes and a transport buffer each, nothing that grows with what was sent.
        Assert.True(after - before < Stalled * 1024 * 1024, $"{Stalled} stalled clients hold {(after - before) / 1024} KiB");
        // What a percentile says on a machine that does other things is little; the long runs have it to themselves.
        Assert.True(Environment.GetEnvironmentVariable("PERSONA_SOAK") != "1" || among < 3 * alone + TimeSpan.FromMilliseconds(50), $"p99 was {alone.TotalMilliseconds:0.0} ms alone and {among.TotalMilliseconds:0.0} ms among stalled clients");
        await Eventually.True("the stalled are cut", () => Task.FromResult(roster.Count == others));

        foreach (var socket in stalled)
        {
            await socket.DisposeAsync();
        }
    }

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
            await writer.Write(user, Text);
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

    /// <summary>How late events reach a client that reads, at the 99th percentile.</summary>
    private async Task<TimeSpan> Measure(RawSocket reader, Guid user)
    {
        var writer = new StreamWriter(Node);
        // As fast as the one who reads can, who is not what is tried here.
        using var ahead = new SemaphoreSlim(16);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < Events; i++)
            {
                await ahead.WaitAsync();
                await writer.Write(user, Text);
            }
        });
        var late = new List<TimeSpan>();
        while (late.Count < Events)
        {
            var message = await reader.Receive() ?? throw new InvalidOperationException("the reading client was cut");
            Assert.False((int?)message["type"] == 7, $"the reading client was closed: {message["error"]}");
            foreach (var e in (int?)message["type"] == 1 ? message["arguments"]![0]!.AsArray() : [])
            {
                late.Add(Stopwatch.GetElapsedTime((long)e!["data"]!["ticks"]!));
                ahead.Release();
            }
        }

        await writing;
        // The first ones fill the sockets of everybody who doesn't read, which costs the processor and nobody's patience.
        late.RemoveRange(0, 40);
        late.Sort();
        return late[(int)(late.Count * 0.99)];
    }
}
