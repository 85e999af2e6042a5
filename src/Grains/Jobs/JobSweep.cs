using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Storage;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Grains.Jobs;

/// <summary>
/// Wakes the jobs of this silo's part that run: one whose silo died goes on within seconds, wherever its grain then lives.
/// Of one that is being done it finds nothing to do. There are few of them at any time: a user has five at most.
/// </summary>
public sealed class JobSweep(
    JobStore jobs, IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails silo, Clock time, ILogger<JobSweep> log) : BackgroundService
{
    private const int Batch = 500;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("The jobs' sweep", Every, time, log).Run(Sweep, stoppingToken);

    private async Task Sweep(CancellationToken cancel)
    {
        if (SweepPart.Of(membership, silo.SiloAddress) is not { } part)
        {
            return;
        }

        foreach (var job in await jobs.Unfinished(part, Batch, cancel))
        {
            try
            {
                await grains.Of<IJobGrain>(job).Wake();
            }
            catch (Exception e) when (e.MayPass())
            {
                // The next round meets it again.
                log.LogDebug("A job was not woken: {Reason}", e.Message);
            }
        }
    }
}
