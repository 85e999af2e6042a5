using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PersonaActors.Tests.Engine;

/// <summary>The conformance suite on the embedded engine. Its sibling starts the same on Orleans.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private IHost? _host;

    public IGrainFactory Grains => _host!.Services.GetRequiredService<IGrainFactory>();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(new Greeting("Hello"));
        builder.Services.AddEngine(options =>
        {
            options.GrainAssemblies.Add(typeof(TallyGrain).Assembly);
            options.CollectionQuantum = TimeSpan.FromSeconds(1);
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
    }
}
