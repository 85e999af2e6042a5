using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Realtime;

/// <summary>Nothing lost, nothing twice, whatever is cut, overlaps, is pruned or restored.</summary>
[Long]
public sealed class LossTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private Node Node => fixture.Node;

    [Fact]
    public Task Cut_at_random_under_load_every_client_has_every_event_once_in_order() => Seeded.Run(async random =>
    {
        const int Clients = 5;
        var cuts = Soak.Of(8, 40);
        Guid[] users = [await fixture.Service.Register("A"), await fixture.Service.Register("B")];
        var streams = users.Select(StreamName.User).ToArray();
        var writer = new StreamWriter(Node);
        var token = await Node.ServiceKey();
        var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => fixture.Clients.Resuming(Node.Address, token, streams, new { epoch = Node.Database.Epoch, seq = 0 })));

        using var cutting = new CancellationTokenSource();
        var schedules = Enumerable.Range(0, users.Length + Clients).Select(_ => new Random(random.Next())).ToArray();
        var writers = users.Select((user, i) => Task.Run(() => writer.WriteAhead(user, clients, () => new string('x', schedules[i].Next(0, 2000)), cutting.Token))).ToArray();
        await Task.WhenAll(clients.Select((client, i) => Task.Run(async () =>
        {
            for (var cut = 0; cut < cuts; cut++)
            {
                await client.Next("connected");
                for (var wait = schedules[users.Length + i].Next(0, 3000); wait > 0; wait--)
                {
                    await Task.Yield();
                }

                await client.Cut();
            }

            await client.Next("connected");
        })));
        await cutting.CancelAsync();
        var newest = await Task.WhenAll(writers);

        foreach (var client in clients)
        {
            var next = streams.ToDictionary(stream => stream, _ => 1L);
            while (streams.Where((stream, i) => next[stream] <= newest[i]).Any())
            {
                var e = await client.Event();
                var stream = (string)e["stream"]!;
                Assert.Equal(next[stream]++, (long)e["seq"]!);
            }

            await client.Stop();
        }
    });

    [Fact]
    public async Task A_second_writer_of_a_stream_waits_and_a_hole_is_filled_from_the_log()
    {
        var (user, other) = (await fixture.Service.Register("Two writers"), await fixture.Service.Register("Another"));
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        await client.Subscribe($"user:{user}");
        await client.Subscribe($"user:{other}");
        var writer = new StreamWriter(Node);

        // The first writer's transaction is open: it has its number, and tells nobody when it commits.
        var (connection, transaction) = await Hold(user);
        await using var closing = connection;

        var second = writer.Write(user);
        await writer.Write(other);
        Assert.Equal($"user:{other}", (string)(await client.Event())["stream"]!);
        Assert.False(second.IsCompleted);
        await transaction.CommitAsync();

        Assert.Equal(4, await second);
        var events = await client.EventsUntil(4);
        Assert.Equal([3, 4], events.Select(e => (long)e["seq"]!));
        Assert.Equal("test.first", (string)events[0]["type"]!);
    }

    /// <summary>
    /// Transactions that are open beside each other, here over several streams, commit in any order; some are announced,
    /// others only found in the log. Whoever listens to all of it gets each stream dense.
    /// </summary>
    [Fact]
    public Task Transactions_that_overlap_across_streams_leave_no_reader_a_hole() => Seeded.Run(async random =>
    {
        const int Streams = 4;
        const int Rounds = 25;
        var users = await Task.WhenAll(Enumerable.Range(0, Streams).Select(i => fixture.Service.Register($"Overlapping {i}")));
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        foreach (var user in users)
        {
            await client.Subscribe(StreamName.User(user), null, 0);
        }

        var writer = new StreamWriter(Node);
        for (var round = 0; round < Rounds; round++)
        {
            // Some streams are held by a transaction that is open and tells nobody when it commits; writers of all streams come meanwhile.
            var held = new List<(NpgsqlConnection Connection, NpgsqlTransaction Transaction)>();
            foreach (var user in users.Where(_ => random.Next(2) == 0))
            {
                held.Add(await Hold(user));
            }

            var waiting = users.SelectMany(user => Enumerable.Range(0, random.Next(1, 4)).Select(_ => writer.Write(user, announced: random.Next(3) > 0))).ToList();
            foreach (var (connection, transaction) in held.OrderBy(_ => random.Next()).ToList())
            {
                await (random.Next(4) == 0 ? transaction.RollbackAsync() : transaction.CommitAsync());
                await connection.DisposeAsync();
            }

            await Task.WhenAll(waiting);
        }

        var newest = await Task.WhenAll(users.Select(user => writer.Write(user)));
        var next = users.ToDictionary(StreamName.User, _ => 1L);
        while (users.Where((user, i) => next[StreamName.User(user)] <= newest[i]).Any())
        {
            var e = await client.Event();
            Assert.Equal(next[(string)e["stream"]!]++, (long)e["seq"]!);
        }
    });

    /// <summary>A transaction that has appended to the user's stream and is open.</summary>
    private async Task<(NpgsqlConnection Connection, NpgsqlTransaction Transaction)> Hold(Guid user)
    {
        var connection = new NpgsqlConnection(fixture.Database.App);
        await connection.OpenAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var append = new NpgsqlCommand($"""
            SELECT set_config('app.current_tenant_id', '{Node.Demo}', true), set_config('app.user_id', '{user}', true);
            SELECT append_event('{Node.Demo}', 'user:{user}', '{user}', gen_random_uuid(), 'test.first', now(), json_build_object(), NULL)
            """, connection, transaction);
        await append.ExecuteNonQueryAsync();
        return (connection, transaction);
    }

    [Fact]
    public async Task Fifty_writers_at_once_leave_a_dense_log_and_every_subscriber_sees_it_so()
    {
        var user = await fixture.Service.Register("Fifty writers");
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        await client.Subscribe($"user:{user}");
        var writer = new StreamWriter(Node);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => writer.Write(user, 10))));

        Assert.Equal(Enumerable.Range(3, 500).Select(n => (long)n), (await client.EventsUntil(502)).Select(e => (long)e["seq"]!));
    }

    [Fact]
    public async Task Comparing_positions_with_the_log_while_events_come_cuts_nobody()
    {
        var user = await fixture.Service.Register("Compared");
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        await client.Subscribe($"user:{user}");
        var check = Node.Services.GetRequiredService<LogCheck>();
        var writer = new StreamWriter(Node);

        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => writer.Write(user, 250))));
        while (!writing.IsCompleted)
        {
            await check.Check(CancellationToken.None);
        }

        await writing;
        Assert.Equal(Enumerable.Range(3, 1000).Select(n => (long)n), (await client.EventsUntil(1002)).Select(e => (long)e["seq"]!));
    }

    [Fact]
    public async Task What_was_pruned_is_answered_with_the_state_and_what_was_not_is_replayed()
    {
        var user = await fixture.Service.Register("Pruned");
        await fixture.Change(user, 10);
        var keeper = Node.Services.GetRequiredService<LogKeeper>();
        var middle = (await Node.Services.GetRequiredService<EventLog>().After(Node.Demo, $"user:{user}", 6, CancellationToken.None, 1)).Events[0];
        await keeper.PruneEvents(Node.Demo, middle.At, 100_000, CancellationToken.None);
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());

        var lost = await client.Subscribe($"user:{user}", null, 2);
        Assert.True((bool)lost["reset"]!, lost.ToJsonString());
        Assert.Equal((7, 12), ((long)lost["oldest"]!, (long)lost["newest"]!));

        var kept = await client.Subscribe($"user:{user}", null, 6);
        Assert.Equal(6, (long)kept["replayed"]!);
        Assert.Equal([7, 8, 9, 10, 11, 12], (await client.EventsUntil(12)).Select(e => (long)e["seq"]!));
    }

    /// <summary>While the log is pruned and written, whatever cursor somebody comes with: all that follows it, or the state.</summary>
    [Fact]
    public Task Pruned_at_random_a_cursor_is_served_whole_or_answered_with_the_state() => Seeded.Run(async random =>
    {
        var user = await fixture.Service.Register("Pruned at random");
        var (keeper, log, writer) = (Node.Services.GetRequiredService<LogKeeper>(), Node.Services.GetRequiredService<EventLog>(), new StreamWriter(Node));
        await writer.Write(user, 400);
        for (var time = 0; time < Soak.Of(8, 20); time++)
        {
            var position = await log.Position(Node.Demo, StreamName.User(user), CancellationToken.None);
            var pruneTo = random.NextInt64(position.Oldest - 1, Math.Min(position.Newest, position.Oldest + 60));
            var middle = (await log.After(Node.Demo, StreamName.User(user), pruneTo, CancellationToken.None, 1)).Events[0];
            var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
            var after = random.NextInt64(Math.Max(0, pruneTo - 40), position.Newest + 1);
            var pruning = keeper.PruneEvents(Node.Demo, middle.At, 100_000, CancellationToken.None);
            var writing = writer.Write(user, random.Next(1, 10));
            var answer = await client.Subscribe(StreamName.User(user), null, after);
            await pruning;
            await writing;
            var newest = await writer.Write(user);
            try
            {
                var from = answer["reset"] is null ? after : (long)answer["newest"]!;
                Assert.True(answer["reset"] is null || after + 1 < (long)answer["oldest"]!, answer.ToJsonString());
                Assert.Equal(Enumerable.Range((int)from + 1, (int)(newest - from)).Select(n => (long)n), (await client.EventsUntil(newest)).Select(e => (long)e["seq"]!));
            }
            catch (TimeoutException)
            {
                // Pruned beneath its replay: said so, instead of a hole.
                Assert.Contains("log_pruned", (string)(await client.Next("closed"))!, StringComparison.Ordinal);
            }
        }
    });

    [Fact]
    public async Task A_long_history_is_replayed_in_pages_while_new_events_come()
    {
        var user = await fixture.Service.Register("Long");
        var writer = new StreamWriter(Node);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => writer.Write(user, 120)));
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());

        var writing = Task.Run(() => writer.Write(user, 300));
        await client.Subscribe($"user:{user}", null, 5);
        await writing;

        Assert.Equal(Enumerable.Range(6, 1497).Select(n => (long)n), (await client.EventsUntil(1502)).Select(e => (long)e["seq"]!));
    }

    [Fact]
    public async Task Reads_of_a_reconnect_storm_grow_with_streams_and_not_with_clients()
    {
        // Each stream's history is two pages. What is read again (a page that was read before its last event, a check of
        // positions in between) is so a few times a stream, however many wait for it.
        const int Fewest = 2;
        const int Most = 8;

        var few = await Storm(clients: 60, streams: 2);
        var moreClients = await Storm(clients: 120, streams: 2);
        var moreStreams = await Storm(clients: 120, streams: 4);

        Assert.InRange(few, 2 * Fewest, 2 * Most);
        Assert.InRange(moreClients, 2 * Fewest, 2 * Most);
        Assert.InRange(moreStreams, 4 * Fewest, 4 * Most);
    }

    private async Task<long> Storm(int clients, int streams)
    {
        var pump = Node.Services.GetRequiredService<EventPump>();
        var writer = new StreamWriter(Node);
        var users = await Task.WhenAll(Enumerable.Range(0, streams).Select(i => fixture.Service.Register($"Storm {i}")));
        await Task.WhenAll(users.Select(user => writer.Write(user, 400)));
        var check = Node.Services.GetRequiredService<LogCheck>();
        await check.Check(CancellationToken.None);
        await check.Check(CancellationToken.None);

        var before = pump.LogReads;
        var crowd = await fixture.Clients.Crowd(Node.Address, await Node.ServiceKey(), clients, [.. users.Select(StreamName.User)], new { epoch = Node.Database.Epoch, seq = 0 });
        await Eventually.True("everybody of the storm has everything", async () =>
            (int)(await fixture.Clients.Call(new { op = "crowdState", client = crowd.Name, seq = 402 }))!["there"]! == clients);
        var reads = pump.LogReads - before;
        var state = (await fixture.Clients.Call(new { op = "crowdState", client = crowd.Name, seq = 402 }))!;
        Assert.Equal((clients * 402, 0), ((int)state["received"]!, (int)state["wrong"]!));
        await crowd.Stop();
        return reads;
    }

    [Fact]
    public async Task A_restored_backup_is_recognised_and_everybody_starts_again_from_the_state()
    {
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database);
        using var service = node.Client(await node.ServiceKey());
        var user = await service.Register("Restored");
        var client = await fixture.Clients.Resuming(node.Address, await node.ServiceKey(), [$"user:{user}"]);
        await client.Next("connected");

        await using (var connection = new NpgsqlConnection(database.Superuser))
        {
            await connection.OpenAsync();
            await using var bump = new NpgsqlCommand("UPDATE database_epoch SET counter = counter + 1", connection);
            await bump.ExecuteNonQueryAsync();
        }

        await node.Services.GetRequiredService<LogCheck>().Check(CancellationToken.None);
        Assert.Contains("epoch_changed", (string)(await client.Next("disconnected"))!, StringComparison.Ordinal);
        Assert.Equal("Restored", (string)(await client.Next("reset"))!["username"]!);
        await fixture.Change(service, user, 1);
        Assert.Equal(3, (long)(await client.Event())["seq"]!);
        await client.Stop();
    }
}
