using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace PersonaActors.Tests.Orleans;

/// <summary>Silos in this process, with nothing of ours but the grains of the tests.</summary>
public abstract class Silos(short count) : IAsyncLifetime
{
    private InProcessTestCluster? _cluster;

    public IGrainFactory Grains => _cluster!.Client;

    public async Task InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(count);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseInMemoryReminderService();
            // Silos that have only just found each other may miss a first tick: the second shall come soon.
            silo.Services.Configure<ReminderOptions>(options => options.MinimumReminderPeriod = TimeSpan.FromSeconds(1));
            silo.Services.Configure<GrainCollectionOptions>(options => options.CollectionQuantum = TimeSpan.FromSeconds(1));
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async Task DisposeAsync() => await _cluster!.DisposeAsync();
}

public sealed class OneSilo() : Silos(1);

public sealed class TwoSilos() : Silos(2);

public sealed class OrleansOnOneSiloTests(OneSilo silos) : OrleansMeanings(silos), IClassFixture<OneSilo>;

public sealed class OrleansOnTwoSilosTests(TwoSilos silos) : OrleansMeanings(silos), IClassFixture<TwoSilos>;
