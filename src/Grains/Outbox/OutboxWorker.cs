using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>Does one kind of outbox task. May be called twice for one task, so its effect must be once.</summary>
public interface IOutboxTaskHandler
{
    string Kind { get; }

    Task Handle(OutboxTask task, CancellationToken cancel);
}

public static class OutboxRules
{
    public const int MaxAttempts = 10;

    public static TimeSpan Delay(int attempts) => TimeSpan.FromSeconds(Math.Min(60 * Math.Pow(2, attempts), 3600));
}

/// <summary>
/// Claims due tasks and hands each to its handler. A task that fails comes again later and later, and after the tenth time
/// stays as failed with its last error. A crash leaves the lease to run out, and the task to the next claim.
/// </summary>
public sealed class OutboxWorker(OutboxStore store, IEnumerable<IOutboxTaskHandler> handlers, Clock time, ILogger<OutboxWorker> log) : BackgroundService
{
    private const int ClaimSize = 20;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, IOutboxTaskHandler> _handlers = handlers.ToDictionary(h => h.Kind);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Idle, time);
        do
        {
            try
            {
                while (await RunDue(stoppingToken) == ClaimSize)
                {
                }
            }
            catch (NpgsqlException e)
            {
                log.LogWarning("The outbox waits for the database: {Reason}", e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<int> RunDue(CancellationToken cancel)
    {
        var tasks = await store.Claim(time.GetUtcNow(), ClaimSize, cancel);
        foreach (var task in tasks)
        {
            await Run(task, cancel);
        }

        return tasks.Count;
    }

    private async Task Run(OutboxTask task, CancellationToken cancel)
    {
        if (!_handlers.TryGetValue(task.Kind, out var handler))
        {
            await store.Failed(task, task.Attempts, final: true, time.GetUtcNow(), $"No handler knows tasks of kind '{task.Kind}'.", cancel);
            return;
        }

        try
        {
            await handler.Handle(task, cancel);
            await store.Done(task, cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException and not StorageUnavailableException)
        {
            var attempts = task.Attempts + 1;
            log.LogWarning(e, "Outbox task {Kind} failed at attempt {Attempt}", task.Kind, attempts);
            await store.Failed(task, attempts, attempts >= OutboxRules.MaxAttempts, time.GetUtcNow() + OutboxRules.Delay(attempts), e.Message, cancel);
        }
    }
}
