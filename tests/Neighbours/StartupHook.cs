using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using PersonaActors.Tests.Neighbours;

/// <summary>
/// What the runtime calls before the node's own beginning (DOTNET_STARTUP_HOOKS finds it by this name): when the node's host
/// is built, what it sends to other silos is led through <see cref="Wire"/>. The node itself is the shipped one.
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => DiagnosticListener.AllListeners.Subscribe(new Each<DiagnosticListener>(listener =>
    {
        if (listener.Name == "Microsoft.Extensions.Hosting")
        {
            listener.Subscribe(new Each<KeyValuePair<string, object?>>(told =>
            {
                if (told is { Key: "HostBuilding", Value: IHostBuilder host })
                {
                    var wire = new Wire(Environment.GetEnvironmentVariable(Unreachable.Variable)!);
                    host.ConfigureServices(services => services.Configure<SiloConnectionOptions>(
                        options => options.ConfigureSiloOutboundConnection(connection => connection.Use(next => context => wire.Lead(context, next)))));
                }
            }));
        }
    }));

    private sealed class Each<T>(Action<T> told) : IObserver<T>
    {
        public void OnNext(T value) => told(value);

        public void OnError(Exception error)
        {
        }

        public void OnCompleted()
        {
        }
    }
}
