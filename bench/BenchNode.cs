using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;
using PersonaActors.Silo.Hosting;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Bench;

/// <summary>The real node on a database of its own, for benchmarks that need one.</summary>
internal sealed class BenchNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BenchNode(WebApplication app, TestDatabase on, Database database, Guid tenant)
    {
        _app = app;
        On = on;
        Database = database;
        Tenant = tenant;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public TestDatabase On { get; }

    public Database Database { get; }

    public Guid Tenant { get; }

    public Uri Address { get; }

    public IServiceProvider Services => _app.Services;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    public static async Task<BenchNode> Start()
    {
        var on = await TestDatabase.Create();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Persona:Database:App"] = on.App,
            ["Persona:Database:Worker"] = on.Worker,
            ["Persona:Url"] = "http://127.0.0.1:0",
        }).Build();
        var database = new Database(new DatabaseLogins(on.App, on.Worker), NullLoggerFactory.Instance);
        await database.RefreshEpoch(CancellationToken.None);
        var tenant = await new DemoTenant(database, TimeProvider.System).Ensure(CancellationToken.None);
        var app = NodeComposition.Build(Settings.Read(configuration), configuration, database, null);
        await app.StartAsync();
        return new BenchNode(app, on, database, tenant);
    }

    public Task<string> ServiceKey() => Key(ApiKeyKind.Service);

    public Task<string> AdminKey() => Key(ApiKeyKind.TenantAdmin);

    private Task<string> Key(ApiKeyKind kind) => KeyWriter.Create(Database, Tenant, kind, "bench", null, true, TimeProvider.System, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Database.DisposeAsync();
        await On.DisposeAsync();
    }
}
