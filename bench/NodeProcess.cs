using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Bench;

/// <summary>A node as a process of its own, on a benchmark's database.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;

    private NodeProcess(Process process, int port) => (_process, Address) = (process, new Uri($"http://127.0.0.1:{port}"));

    public Uri Address { get; }

    /// <summary>Of memory, as the machine counts it.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Ready, when this returns.</summary>
    /// <param name="isSilo">Of a cluster of several: others reach it.</param>
    public static async Task<NodeProcess> Start(TestDatabase on, int port, bool isSilo = false)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "personactors.dll"), "serve"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["PERSONA__DATABASE__APP"] = on.App;
        start.Environment["PERSONA__DATABASE__WORKER"] = on.Worker;
        start.Environment["PERSONA__DATABASE__MIGRATOR"] = on.Migrator;
        start.Environment["PERSONA__URL"] = $"http://127.0.0.1:{port}";
        if (isSilo)
        {
            start.Environment["PERSONA__CLUSTER__SILOPORT"] = FreePort().ToString(CultureInfo.InvariantCulture);
            start.Environment["PERSONA__CLUSTER__GATEWAYPORT"] = FreePort().ToString(CultureInfo.InvariantCulture);
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        var node = new NodeProcess(process, port);
        await node.Ready();
        return node;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public Task Kill()
    {
        _process.Kill();
        return _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task Ready()
    {
        using var http = new HttpClient { BaseAddress = Address };
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                if ((await http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(since) < TimeSpan.FromMinutes(1))
            {
                // Not listening yet.
            }

            await Task.Delay(20);
        }
    }
}
