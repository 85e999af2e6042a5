using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace PersonaActors.Tests.Harness;

/// <summary>The node as a process of its own, for what can only be done to a process: kill -9, signals, the command line.</summary>
public sealed class ProcessNode : IAsyncDisposable
{
    private const int FirstPort = 20_000;
    private const int FirstOutgoingPort = 32_000;
    private static readonly ConcurrentDictionary<int, bool> Given = [];
    private readonly Process _process;
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _output = [];

    private ProcessNode(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "personactors.dll");

    public Uri Address { get; }

    /// <summary>The demo key that the ready line showed.</summary>
    public string Key { get; private set; } = "";

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    /// <summary>Starts and waits for the ready line, for as long as a very busy machine may need.</summary>
    public static Task<ProcessNode> Start(TestDatabase database, int? port = null, params (string Name, string Value)[] environment) =>
        Start(Executable, database, port, environment);

    public static async Task<ProcessNode> Start(string executable, TestDatabase database, int? port, params (string Name, string Value)[] environment)
    {
        var node = Launch(executable, database, port, environment);
        try
        {
            var line = await node._ready.Task.WaitAsync(TimeSpan.FromSeconds(90));
            node.Key = line.Split(" key ") is [_, var key] ? key : "";
            return node;
        }
        catch (TimeoutException)
        {
            await node.DisposeAsync();
            throw new TimeoutException($"waited 90 s for the node's ready line; it printed:\n{node.Output}");
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"{e.Message}; it printed:\n{node.Output}", e);
        }
    }

    /// <summary>Starts without waiting, for nodes that are expected to refuse.</summary>
    public static ProcessNode Launch(TestDatabase database, int? port = null, params (string Name, string Value)[] environment) =>
        Launch(Executable, database, port, environment);

    private static ProcessNode Launch(string executable, TestDatabase database, int? port, (string Name, string Value)[] environment)
    {
        var address = new Uri($"http://127.0.0.1:{port ?? FreePort()}");
        var start = new ProcessStartInfo("dotnet", [executable, "serve"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PERSONA__DATABASE__APP"] = database.FewApp;
        start.Environment["PERSONA__DATABASE__WORKER"] = database.Worker;
        start.Environment["PERSONA__DATABASE__MIGRATOR"] = database.Migrator;
        start.Environment["PERSONA__URL"] = address.ToString();
        start.Environment["PERSONA__DEMO"] = "on";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var node = new ProcessNode(process, address);
        process.OutputDataReceived += (_, line) => node.OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => node.OnLine(line.Data);
        process.Exited += (_, _) => node._ready.TrySetException(new InvalidOperationException("the node ended before it was ready"));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return node;
    }

    public ApiClient Client(string? key = null) => new(Address, key ?? Key);

    /// <summary>kill -9: no handler runs, nothing is flushed.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task Terminate()
    {
        Signals.Send("TERM", _process.Id);
        await WaitForExit();
    }

    public async Task WaitForExit()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(40));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited 40 s for the node to end; it printed:\n{Output}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Kill();
        }

        _process.Dispose();
    }

    /// <summary>
    /// A port that nobody listens at, below those that the kernel gives to outgoing connections: of those, any test beside
    /// this one could be given it between here and the node's start.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(FirstPort, FirstOutgoingPort);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                continue;
            }

            if (Given.TryAdd(port, true))
            {
                return port;
            }
        }
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.Add(line);
        }

        if (line.StartsWith("ready ", StringComparison.Ordinal))
        {
            _ready.TrySetResult(line);
        }
    }
}
