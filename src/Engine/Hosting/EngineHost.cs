using Microsoft.Extensions.Hosting;

namespace PersonaActors.Engine;

/// <summary>Drains the engine when the host stops. Registered before whatever calls grains, it stops after it.</summary>
internal sealed class EngineHost(GrainEngine engine) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => engine.DrainAsync(cancellationToken);
}
