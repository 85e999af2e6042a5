using System.Collections.Concurrent;
using PersonaActors.Tests.Neighbours;

namespace PersonaActors.Tests.Chaos;

/// <summary>
/// Three silos that serve clients too, and two gateways without grains (one if there is little time), each a process of its
/// own, on a PostgreSQL of their own. Whichever ends is started again at its address, as whoever runs a service does.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const int Silos = 3;
    public static readonly int Nodes = Silos + Soak.Of(1, 2);

    private readonly PrivateCluster _postgres;
    private readonly TestDatabase _database;
    private readonly ProcessNode?[] _nodes = new ProcessNode?[Nodes];
    private readonly (string, string)[][] _settings = new (string, string)[Nodes][];
    private readonly int[] _ports = new int[Nodes];
    private readonly int[] _siloPorts = [.. Enumerable.Range(0, Silos).Select(_ => ProcessNode.FreePort())];
    private readonly Unreachable[] _unreachable = [.. Enumerable.Range(0, Silos).Select(_ => new Unreachable())];
    private readonly CancellationTokenSource _over = new();
    private readonly bool[] _isDown = new bool[Nodes];
    private readonly ConcurrentQueue<string> _ended = new();
    private readonly Task[] _again = [.. Enumerable.Repeat(Task.CompletedTask, Nodes)];
    private Task _watching = Task.CompletedTask;

    private Cluster(PrivateCluster postgres, TestDatabase database)
    {
        _postgres = postgres;
        _database = database;
    }

    /// <summary>What was done to it, for whoever reads why a run failed.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public string Key { get; private set; } = "";

    public string Superuser => _database.Superuser;

    public static async Task<Cluster> Start()
    {
        var postgres = PrivateCluster.Create();
        var cluster = new Cluster(postgres, await TestDatabase.CreateOn(postgres.Superuser));
        try
        {
            for (var i = 0; i < Nodes; i++)
            {
                cluster._ports[i] = ProcessNode.FreePort();
                cluster._settings[i] = i < Silos
                    ?
                    [
                        ("PERSONA__CLUSTER__SILOPORT", cluster._siloPorts[i].ToString()),
                        ("PERSONA__CLUSTER__GATEWAYPORT", ProcessNode.FreePort().ToString()),
                        ("DOTNET_STARTUP_HOOKS", Unreachable.Hook),
                        (Unreachable.Variable, cluster._unreachable[i].Path),
                    ]
                    : [("PERSONA__ROLE", "gateway")];
            }

            // The first alone: it migrates, and makes the key.
            await cluster.StartNode(0);
            cluster.Key = cluster._nodes[0]!.Key;
            await Task.WhenAll(Enumerable.Range(1, Nodes - 1).Select(cluster.StartNode));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        cluster._watching = cluster.Watch();
        return cluster;
    }

    /// <summary>What its nodes, also those that have ended, called a failure of their own.</summary>
    public IEnumerable<string> Failures() => _ended.Concat(_nodes.OfType<ProcessNode>().Select(node => node.Output))
        .SelectMany(output => output.Split('\n')).Where(line => line.Contains("Unexpected failure", StringComparison.Ordinal));

    private async Task StartNode(int node) => _nodes[node] = await ProcessNode.Start(_database, _ports[node], _settings[node]);

    public Uri Address(int node) => new($"http://127.0.0.1:{_ports[node]}");

    public async Task Kill(int node)
    {
        if (IsUp(node))
        {
            Say($"kill -9 {node}");
            await _nodes[node]!.Kill();
        }
    }

    public async Task Pause(int node, TimeSpan length)
    {
        if (!IsUp(node))
        {
            return;
        }

        // It may be killed meanwhile, and be another process then.
        var process = _nodes[node]!.Id;
        await For(length, $"stop {node}", () => Signals.Send("STOP", process), $"continue {node}", () => Signals.Send("CONT", process));
    }

    public Task LosePostgres(TimeSpan length) => For(length, "PostgreSQL away", _postgres.Stop, "PostgreSQL back", _postgres.Start);

    public Task Part(int silo, int[] from, TimeSpan length) => Part(silo, from, Over(length));

    /// <summary>A silo and some of the others don't hear each other, while all of them hear the database and their clients.</summary>
    public Task Part(int silo, int[] from, Task until) => Until(
        until, $"{silo} can't reach {string.Join(" and ", from)}", () =>
        {
            _unreachable[silo].Set(from.Select(other => _siloPorts[other]));
            foreach (var other in from)
            {
                _unreachable[other].Set(_siloPorts[silo]);
            }
        },
        "all silos reach each other", () =>
        {
            foreach (var one in _unreachable)
            {
                one.Set();
            }
        });

    private Task For(TimeSpan length, string what, Action begin, string over, Action end) =>
        Until(Over(length), $"{what} for {length.TotalSeconds} s", begin, over, end);

    /// <summary>How long a fault lasts is real time: the clocks of other processes aren't the test's to turn.</summary>
    private static Task Over(TimeSpan length) => Task.Delay(length, TimeProvider.System);

    private async Task Until(Task until, string what, Action begin, string over, Action end)
    {
        Say(what);
        begin();
        await until;
        end();
        Say(over);
    }

    /// <summary>One after the other, each started anew before the next goes.</summary>
    public async Task RollingRestart()
    {
        for (var i = 0; i < Nodes; i++)
        {
            if (IsUp(i))
            {
                Say($"restart {i}");
                _isDown[i] = true;
                await _nodes[i]!.Terminate();
                await Again(i);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _watching;
        await Task.WhenAll(_again);
        foreach (var node in _nodes.OfType<ProcessNode>())
        {
            await node.DisposeAsync();
        }

        await _database.DisposeAsync();
        _postgres.Dispose();
        foreach (var one in _unreachable)
        {
            one.Dispose();
        }

        _over.Dispose();
    }

    private async Task Watch()
    {
        using var look = new PeriodicTimer(TimeSpan.FromSeconds(0.5));
        try
        {
            while (await look.WaitForNextTickAsync(_over.Token))
            {
                for (var i = 0; i < Nodes; i++)
                {
                    if (!_isDown[i] && _nodes[i]!.HasExited)
                    {
                        Say($"{i} has ended, and is started again");
                        _isDown[i] = true;
                        _again[i] = Again(i);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Over.
        }
    }

    private async Task Again(int node)
    {
        await _nodes[node]!.DisposeAsync();
        _ended.Enqueue(_nodes[node]!.Output);
        while (!_over.IsCancellationRequested)
        {
            try
            {
                await StartNode(node);
                _isDown[node] = false;
                return;
            }
            catch (Exception e) when (e is InvalidOperationException or TimeoutException)
            {
                // Its database may be away: whoever runs it tries again.
                Say($"{node} didn't start: {e.Message.Split('\n')[0]}");
            }
        }
    }

    private bool IsUp(int node) => !_isDown[node] && !_nodes[node]!.HasExited;

    private void Say(string what) => Log.Enqueue($"{TimeProvider.System.GetLocalNow():HH:mm:ss.fff} {what}");
}
