using Microsoft.Extensions.Hosting;

namespace PersonaActors.Engine;

/// <summary>Delivers reminders while the host runs, and drains the engine when it stops. Registered before whatever calls grains, it stops after it.</summary>
internal sealed class EngineHost(GrainEngine engine) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        engine.Waker.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await engine.Waker.StopAsync().ConfigureAwait(false);
        await engine.DrainAsync(cancellationToken).ConfigureAwait(false);
    }
}
