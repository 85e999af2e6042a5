using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Engine;

/// <summary>The conformance suite on the embedded engine. Its sibling starts the same on Orleans.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private TestDatabase? _database;
    private IHost? _host;

    public IGrainFactory Grains => _host!.Services.GetRequiredService<IGrainFactory>();

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(new Greeting("Hello"));
        builder.Services.AddEngine(options =>
        {
            options.GrainAssemblies.Add(typeof(TallyGrain).Assembly);
            options.ConnectionString = _database.App;
            options.CollectionQuantum = TimeSpan.FromSeconds(1);
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
        await _database!.DisposeAsync();
    }
}
