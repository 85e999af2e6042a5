using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Grains.Outbox;

/// <summary>
/// Does one kind of outbox task. May be called twice for one task, so its effect must be once. And it may be called before
/// the grain that asked for it knows that it is committed: what decides is read from the tables, or asked in a turn.
/// </summary>
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
/// Claims due tasks and hands each to its handler: every second, and at once when a task is committed in this process. A task
/// that fails comes again later and later, and after the tenth time stays as failed with its last error; that the database,
/// a silo or what embeds texts went away is nobody's failure, and the task comes again in a moment. A crash leaves the lease to run out, and the
/// task to the next claim.
/// </summary>
public sealed class OutboxWorker : BackgroundService
{
    private const int ClaimSize = 20;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    // An endpoint that is away may stay so for hours, and everything that waits for it asks.
    private static readonly TimeSpan EmbedderAway = TimeSpan.FromSeconds(30);
    private readonly OutboxStore _store;
    private readonly Dictionary<string, IOutboxTaskHandler> _handlers;
    private readonly Clock _time;
    private readonly ILogger<OutboxWorker> _log;
    private readonly Rounds _rounds;

    public OutboxWorker(Database database, OutboxStore store, IEnumerable<IOutboxTaskHandler> handlers, Clock time, ILogger<OutboxWorker> log)
    {
        _store = store;
        _handlers = handlers.ToDictionary(h => h.Kind);
        _time = time;
        _log = log;
        _rounds = new Rounds("The outbox", Idle, time, log);
        database.TasksCommitted += _rounds.Hurry;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _rounds.Run(RunDue, stoppingToken);

    private async Task RunDue(CancellationToken cancel)
    {
        IReadOnlyList<OutboxTask> tasks;
        do
        {
            tasks = await _store.Claim(_time.GetUtcNow(), ClaimSize, cancel);
            await Task.WhenAll(tasks.Select(task => Run(task, cancel)));
        }
        while (tasks.Count == ClaimSize);
    }

    private async Task Run(OutboxTask task, CancellationToken cancel)
    {
        if (!_handlers.TryGetValue(task.Kind, out var handler))
        {
            await _store.Failed(task, task.Attempts, final: true, _time.GetUtcNow(), $"No handler knows tasks of kind '{task.Kind}'.", cancel);
            return;
        }

        try
        {
            await handler.Handle(task, cancel);
            await _store.Done(task, cancel);
        }
        catch (EmbedderUnavailableException e)
        {
            await _store.Failed(task, task.Attempts, final: false, _time.GetUtcNow() + EmbedderAway, e.Message, cancel);
        }
        catch (Exception e) when (e.MayPass())
        {
            await _store.Failed(task, task.Attempts, final: false, _time.GetUtcNow() + Idle, e.Message, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            var attempts = task.Attempts + 1;
            _log.LogWarning(e, "Outbox task {Kind} failed at attempt {Attempt}", task.Kind, attempts);
            await _store.Failed(task, attempts, attempts >= OutboxRules.MaxAttempts, _time.GetUtcNow() + OutboxRules.Delay(attempts), e.Message, cancel);
        }
    }
}
