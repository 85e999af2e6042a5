using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>
/// The mappers that come with the service. A tenant that never had one is given it, active, as its first version; from then on
/// it is the tenant's own, to change or to deprecate.
/// </summary>
public sealed class ShippedMappers(MapperStore store, Clock time, ILogger<ShippedMappers> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>By name.</summary>
    public static IReadOnlyDictionary<string, JsonText> All { get; } = Read();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Give(cancellationToken);
        }
        catch (Exception e) when (e.MayPass())
        {
            // The first round comes right after, and says so.
        }

        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("Giving mappers to new tenants", Every, time, log).Run(Give, stoppingToken);

    private async Task Give(CancellationToken cancel)
    {
        foreach (var (name, configuration) in All)
        {
            await store.GiveToAll(name, configuration, time.GetUtcNow(), cancel);
        }
    }

    private static Dictionary<string, JsonText> Read()
    {
        var assembly = typeof(ShippedMappers).Assembly;
        var shipped = new Dictionary<string, JsonText>(StringComparer.Ordinal);
        foreach (var file in assembly.GetManifestResourceNames().Where(name => name.StartsWith("mappers/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(file)!);
            shipped[Path.GetFileNameWithoutExtension(file)] = MapperFile.ReadYaml(reader.ReadToEnd()).Configuration ?? throw new InvalidOperationException($"{file} is no YAML.");
        }

        return shipped;
    }
}
