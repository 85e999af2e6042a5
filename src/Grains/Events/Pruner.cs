using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Grains.Events;

/// <summary>Keeps the log, the stored answers and the jobs that ended from growing for ever: every few minutes, in small batches, tenant by tenant.</summary>
public sealed class Pruner(LogKeeper log, JobStore jobs, JobFileStore files, Clock time, ILogger<Pruner> logger) : BackgroundService
{
    private const int Batch = 1000;
    private const int SystemRetentionDays = 7;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AnswersKept = TimeSpan.FromHours(24);
    private static readonly TimeSpan JobsKept = TimeSpan.FromDays(30);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("Pruning", Pause, time, logger).Run(Prune, stoppingToken);

    public async Task Prune(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        foreach (var (tenant, days) in await log.Tenants(cancel))
        {
            await Rounds.Drain(Batch, () => log.PruneEvents(tenant, now.AddDays(-days), Batch, cancel));
            await Rounds.Drain(Batch, () => log.PruneAnswers(tenant, now - AnswersKept, Batch, cancel));
        }

        await Rounds.Drain(Batch, () => log.PruneSystemEvents(now.AddDays(-SystemRetentionDays), Batch, cancel));
        await Rounds.Drain(Batch, () => log.PruneSystemAnswers(now - AnswersKept, Batch, cancel));
        await Rounds.Drain(Batch, () => files.Forget(now, Batch, cancel));
        await Rounds.Drain(Batch, () => jobs.Forget(now - JobsKept, Batch, cancel));
    }
}
