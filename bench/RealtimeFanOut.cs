using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Bench;

/// <summary>
/// One event to 500 subscribers of a stream, from the feed's announcement to the clients' sockets. The anchor is a hub with
/// nothing behind it that sends the same event to a group of as many, in the same process, to the same kind of clients.
/// Both are sent the next event as soon as everybody has the one before; and then as many as go through at once.
/// </summary>
internal static class RealtimeFanOut
{
    private const int Subscribers = 500;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var key = await node.ServiceKey();
        var user = await RealtimeUsers.Register(node, "fan-out");
        var stream = StreamName.User(user);
        var feed = node.Services.GetRequiredService<EventFeed>();
        await using var ours = new Sockets();
        await ours.Connect(Subscribers, node.Address, "/hubs/persona", key, _ => SubscribeTo(stream));

        // Announced without being written: the log is told that they exist, or the pump would take it for an older backup.
        await using (var written = node.Database.Worker.CreateCommand("UPDATE streams SET seq = 1000000000 WHERE stream = $1"))
        {
            written.Parameters.Add(Sql.Text(stream));
            await written.ExecuteNonQueryAsync();
        }

        await using var bare = await BareHub.Start();
        await using var theirs = new Sockets();
        await theirs.Connect(Subscribers, bare.Address, "/bare", null, _ => null);

        var seq = 2L;
        StreamEvent Next() => new(stream, node.Database.Epoch, ++seq, Guid.CreateVersion7(), "bench.event", TimeProvider.System.GetUtcNow(), Data);
        Task Announce()
        {
            feed.Announce(node.Tenant, [Next()]);
            return Task.CompletedTask;
        }

        var bareSeq = 0L;
        Task Send() => bare.Group.SendAsync("events", new[] { new StreamEvent(stream, node.Database.Epoch, ++bareSeq, Guid.CreateVersion7(), "bench.event", TimeProvider.System.GetUtcNow(), Data) });

        await Rate(theirs, Send, TimeSpan.FromSeconds(1));
        await Rate(ours, Announce, TimeSpan.FromSeconds(1));
        List<double> us = [], them = [];
        for (var round = 0; round < 3; round++)
        {
            them.Add(await Rate(theirs, Send, Measured));
            us.Add(await Rate(ours, Announce, Measured));
        }

        var median = us.Zip(them, (a, b) => a / b).Order().ElementAt(1);
        return [new($"one event to {Subscribers} subscribers: deliveries", Result.PerSecond(us.Order().ElementAt(1)), Result.PerSecond(them.Order().ElementAt(1)), median, 0.7)];
    }

    private static readonly JsonText Data = new("""{"changes":{"username":"somebody else","version":17,"updatedAt":"2030-01-01T00:00:00+00:00"}}""");

    internal static string SubscribeTo(string stream) =>
        $$"""{"type":1,"target":"Subscribe","invocationId":"1","arguments":[[{"stream":"{{stream}}"}]]}""";

    /// <summary>Deliveries a second, at most 20 events under way.</summary>
    private static async Task<double> Rate(Sockets sockets, Func<Task> send, TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        var before = sockets.Received;
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            await send();
            sent++;
            await sockets.Reaches(before + ((sent - 20) * Subscribers));
        }

        await sockets.Reaches(before + (sent * Subscribers));
        return sent * Subscribers / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private sealed class BareHub : Hub
    {
        public override Task OnConnectedAsync() => Groups.AddToGroupAsync(Context.ConnectionId, "all");

        internal static async Task<Host> Start()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddSignalR().AddJsonProtocol(json => json.PayloadSerializerOptions = new(Wire.Json));
            var app = builder.Build();
            app.MapHub<BareHub>("/bare");
            await app.StartAsync();
            return new Host(app);
        }

        internal sealed class Host(WebApplication app) : IAsyncDisposable
        {
            public Uri Address => new(app.Urls.First());

            public IClientProxy Group { get; } = app.Services.GetRequiredService<IHubContext<BareHub>>().Clients.Group("all");

            public ValueTask DisposeAsync() => app.DisposeAsync();
        }
    }
}

/// <summary>WebSockets that speak just enough of the hub's protocol and count events as they come: a client that costs little.</summary>
internal sealed class Sockets : IAsyncDisposable
{
    private static readonly byte[] EventMark = Encoding.UTF8.GetBytes("\"type\":\"");
    private readonly List<ClientWebSocket> _sockets = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _moved = new(0);
    private long _received;
    private long _wanted = long.MaxValue;

    public long Received => Volatile.Read(ref _received);

    /// <summary>Called with the bytes of what came, on the socket's own loop.</summary>
    public Action<int, ReadOnlyMemory<byte>>? OnEvents { get; init; }

    public async Task Connect(int count, Uri server, string path, string? key, Func<int, string?> hello, bool countWhileGreeting = false)
    {
        foreach (var some in Enumerable.Range(0, count).Chunk(50))
        {
            await Task.WhenAll(some.Select(async i =>
            {
                var socket = new ClientWebSocket();
                if (key is not null)
                {
                    socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
                }

                await socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = path }.Uri, CancellationToken.None);
                await Send(socket, """{"protocol":"json","version":1}""");
                var buffer = new byte[64 * 1024];
                await socket.ReceiveAsync(buffer, CancellationToken.None);
                lock (_sockets)
                {
                    _sockets.Add(socket);
                }

                if (hello(i) is { } greeting)
                {
                    await Send(socket, greeting);
                    while (!countWhileGreeting && !Encoding.UTF8.GetString(buffer, 0, (await socket.ReceiveAsync(buffer, CancellationToken.None)).Count).Contains("\"type\":3", StringComparison.Ordinal))
                    {
                        // Pings and events that overtake the answer.
                    }
                }

                _ = Listen(i, socket, buffer);
            }));
        }
    }

    public async Task Reaches(long received)
    {
        if (Received >= received)
        {
            return;
        }

        Volatile.Write(ref _wanted, received);
        while (Received < received)
        {
            await _moved.WaitAsync(TimeSpan.FromMilliseconds(20));
        }

        Volatile.Write(ref _wanted, long.MaxValue);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        foreach (var socket in _sockets)
        {
            socket.Abort();
            socket.Dispose();
        }
    }

    private static Task Send(ClientWebSocket socket, string json) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json + '\u001e'), WebSocketMessageType.Text, true, CancellationToken.None);

    private async Task Listen(int index, ClientWebSocket socket, byte[] buffer)
    {
        var kept = 0;
        try
        {
            while (true)
            {
                var result = await socket.ReceiveAsync(buffer.AsMemory(kept), _closing.Token);
                var length = kept + result.Count;
                var whole = buffer.AsSpan(0, length).LastIndexOf((byte)0x1e) + 1;
                var events = buffer.AsSpan(0, whole).Count(EventMark);
                if (events > 0)
                {
                    OnEvents?.Invoke(index, buffer.AsMemory(0, whole));
                    if (Interlocked.Add(ref _received, events) >= Volatile.Read(ref _wanted) && _moved.CurrentCount == 0)
                    {
                        _moved.Release();
                    }
                }

                kept = length - whole;
                buffer.AsSpan(whole, kept).CopyTo(buffer);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            // The benchmark is over.
        }
    }
}
