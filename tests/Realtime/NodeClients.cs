using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace PersonaActors.Tests.Realtime;

/// <summary>Real JavaScript clients in a node process of their own (tests/clients/driver.mjs).</summary>
public sealed class NodeClients : IAsyncDisposable
{
    private static readonly SemaphoreSlim Installing = new(1, 1);
    private static readonly Lazy<Task<string>> Browser = new(FindBrowser);
    private static bool _installed;
    private readonly Process _process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _replies = new();
    private readonly ConcurrentDictionary<string, NodeClient> _clients = new();
    private readonly Lock _writing = new();
    private int _last;

    private NodeClients(Process process) => _process = process;

    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(PostgresServer.Script))!, "tests", "clients");

    public static async Task<NodeClients> Start()
    {
        await EnsureInstalled();
        var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, "driver.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var clients = new NodeClients(process);
        _ = clients.Read();
        return clients;
    }

    /// <summary>A client of @microsoft/signalr as it is.</summary>
    public async Task<NodeClient> Raw(Uri server, string? token, string? transport = null, bool messagePack = false)
    {
        var client = Add();
        await Call(new { op = "raw", client = client.Name, url = Url(server), token, transport, messagePack });
        return client;
    }

    /// <summary>The project's own client, which resumes.</summary>
    public async Task<NodeClient> Resuming(Uri server, string? token, string[] streams, object? after = null, bool messagePack = false)
    {
        var client = Add();
        await Call(new { op = "resuming", client = client.Name, url = Url(server), token, streams, after, messagePack });
        return client;
    }

    public async Task<NodeClient> Crowd(Uri server, string? token, int count, string[] streams, object? after = null)
    {
        var client = Add();
        await Call(new { op = "crowd", client = client.Name, url = Url(server), token, count, streams, after });
        return client;
    }

    public async Task<JsonNode?> Call(object command)
    {
        var n = Interlocked.Increment(ref _last);
        var reply = _replies[n] = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var json = JsonSerializer.SerializeToNode(command)!.AsObject();
        json["n"] = n;
        lock (_writing)
        {
            _process.StandardInput.WriteLine(json.ToJsonString());
        }

        try
        {
            return await reply.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited 60 s for node to answer {json.ToJsonString()}");
        }
    }

    /// <summary>Starts a browser in which pages can be opened, and answers the origin of the site that serves them.</summary>
    public async Task<string> OpenBrowser() => (string)(await Call(new { op = "openBrowser", executable = (await Browser.Value).Trim() }))!;

    /// <summary>A page in the browser, whose backend gets tokens for this user.</summary>
    public async Task<NodeClient> Page(string origin, Uri server, string key, Guid user, string? audience = null)
    {
        var client = Add();
        await Call(new { op = "page", client = client.Name, origin, server = Url(server), key, user, audience });
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        // At its input's end it closes what it has started.
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15));
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            throw new TimeoutException("waited 15 s for node to end");
        }

        _process.Dispose();
    }

    private static string Url(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private NodeClient Add()
    {
        var client = new NodeClient(this, $"c{Interlocked.Increment(ref _last)}");
        _clients[client.Name] = client;
        return client;
    }

    private async Task Read()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var json = JsonNode.Parse(line)!.AsObject();
            if (json["n"] is { } n)
            {
                if (_replies.TryRemove((int)n, out var reply))
                {
                    if (json["error"] is { } error)
                    {
                        reply.TrySetException(new NodeClientException((string)error!));
                    }
                    else
                    {
                        reply.TrySetResult(json["result"]);
                    }
                }
            }
            else
            {
                _clients[(string)json["client"]!].Got((string)json["got"]!, json["value"]);
            }
        }

        foreach (var reply in _replies.Values)
        {
            reply.TrySetException(new NodeClientException("node ended"));
        }
    }

    /// <summary>What package-lock.json names is there, and the TypeScript client is compiled.</summary>
    public static async Task EnsureInstalled()
    {
        await Installing.WaitAsync();
        try
        {
            if (_installed)
            {
                return;
            }

            var client = Path.GetFullPath(Path.Combine(Folder, "..", "..", "clients", "typescript"));
            await Install(client);
            if (IsOlder(Path.Combine(client, "dist", "index.js"), Directory.EnumerateFiles(Path.Combine(client, "src"))))
            {
                await Programs.Run(client, "npm", "run", "build");
            }

            await Install(Folder);
            _installed = true;
        }
        finally
        {
            Installing.Release();
        }
    }

    private static Task<string> FindBrowser() => Programs.Run(Folder, "bash", Path.Combine(Path.GetDirectoryName(PostgresServer.Script)!, "chromium"), "install");

    private static async Task Install(string folder)
    {
        if (IsOlder(Path.Combine(folder, "node_modules", ".package-lock.json"), [Path.Combine(folder, "package-lock.json")]))
        {
            await Programs.Run(folder, "npm", "ci", "--no-audit", "--no-fund");
        }
    }

    private static bool IsOlder(string made, IEnumerable<string> from) =>
        !File.Exists(made) || from.Any(source => File.GetLastWriteTimeUtc(source) > File.GetLastWriteTimeUtc(made));
}

public sealed class NodeClientException(string message) : Exception(message);

/// <summary>One client in the node process, and what it got.</summary>
public sealed class NodeClient(NodeClients clients, string name)
{
    private readonly Channel<(string What, JsonNode? Value)> _others = Channel.CreateUnbounded<(string, JsonNode?)>();
    private readonly Channel<JsonObject> _events = Channel.CreateUnbounded<JsonObject>();

    private readonly ConcurrentDictionary<string, long> _newest = new();

    public string Name => name;

    /// <summary>The number of the stream's last event that came.</summary>
    public long Newest(string stream) => _newest.GetValueOrDefault(stream);

    public Task<JsonNode?> Invoke(string method, params object?[] args) => clients.Call(new { op = "invoke", client = name, method, args });

    /// <summary>Subscribes to one stream and gives its answer.</summary>
    public async Task<JsonObject> Subscribe(string stream, string? epoch = null, long? after = null) =>
        (await Invoke("Subscribe", (object)new[] { new { stream, epoch, after } }))!.AsArray()[0]!.AsObject();

    public Task Cut() => clients.Call(new { op = "cut", client = name });

    public Task Stop() => clients.Call(new { op = "stop", client = name });

    public async Task<JsonObject> Event()
    {
        try
        {
            return await _events.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"client {name} waited 20 s for an event");
        }
    }

    /// <summary>The next events, until one has this number.</summary>
    public async Task<List<JsonObject>> EventsUntil(long seq)
    {
        var events = new List<JsonObject>();
        do
        {
            events.Add(await Event());
        }
        while ((long)events[^1]["seq"]! != seq);
        return events;
    }

    /// <summary>The next thing of that name that is no event; others before it are passed over.</summary>
    public async Task<JsonNode?> Next(string what, int seconds = 20)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            while (true)
            {
                var (got, value) = await _others.Reader.ReadAsync(patience.Token);
                if (got == what)
                {
                    return value;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"client {name} waited {seconds} s for '{what}'");
        }
    }

    internal void Got(string what, JsonNode? value)
    {
        if (what != "events")
        {
            _others.Writer.TryWrite((what, value));
            return;
        }

        foreach (var e in value!.AsArray())
        {
            _events.Writer.TryWrite(e!.AsObject());
            if (e["stream"] is { } stream && e["seq"]?.GetValueKind() == System.Text.Json.JsonValueKind.Number)
            {
                _newest[(string)stream!] = (long)e["seq"]!;
            }
        }
    }
}
