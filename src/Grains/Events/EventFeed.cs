using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Grains.Events;

/// <summary>A committed event of one tenant's stream, or of the system's where there is no tenant.</summary>
/// <param name="Cause">The span of the request that caused it, where one is traced.</param>
public readonly record struct Announcement(Guid? Tenant, StreamEvent Event, ActivityContext Cause);

/// <summary>
/// How an event leaves the grain that committed it. The grain puts it into a queue and goes on; one loop hands it to
/// whoever reacts to its type in this process, in the order of the commits of each stream. Among them NotifySender, which
/// tells other processes with a hint; what those say comes in here too.
///
/// A grain never waits for a reaction. The queue holds what a silo commits in many seconds, while a reaction takes
/// microseconds; were it ever full, what no longer fits is a wake-up lost like a lost hint: once the queue is read,
/// everybody compares with the log.
/// </summary>
public sealed class EventFeed(IServiceProvider services, ILogger<EventFeed> log) : BackgroundService
{
    public const int Capacity = 64 * 1024;

    private readonly Channel<Announcement> _announced = Channel.CreateBounded<Announcement>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    // Asked for when the first event comes: those who react may themselves be made of the feed.
    private readonly Lazy<ILookup<string, Reaction>> _reactions = new(() => services.GetServices<Reaction>().ToLookup(reaction => reaction.Type ?? ""));
    private readonly Lazy<HintReaction[]> _toHints = new(() => [.. services.GetServices<HintReaction>()]);
    private readonly Lazy<LossReaction[]> _toLoss = new(() => [.. services.GetServices<LossReaction>()]);
    private bool _lost;

    /// <summary>This process, among those that send hints.</summary>
    public string Node { get; } = Guid.NewGuid().ToString("N")[..8];

    /// <summary>Called by a grain after its commit, once its own memory is true.</summary>
    public void Announce(Guid? tenant, IReadOnlyList<StreamEvent> events)
    {
        var cause = Activity.Current?.Context ?? default;
        for (var i = 0; i < events.Count; i++)
        {
            if (!_announced.Writer.TryWrite(new Announcement(tenant, events[i], cause)))
            {
                Volatile.Write(ref _lost, true);
            }
        }
    }

    /// <summary>Another process says how far a stream goes.</summary>
    public void Hint(EventHint hint)
    {
        foreach (var reaction in _toHints.Value)
        {
            Safely(reaction.React, hint);
        }
    }

    /// <summary>Announcements or hints may have been lost.</summary>
    public void MayHaveLost()
    {
        foreach (var reaction in _toLoss.Value)
        {
            reaction.React();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var announced in _announced.Reader.ReadAllAsync(stoppingToken))
        {
            foreach (var reaction in _reactions.Value[announced.Event.Type].Concat(_reactions.Value[""]))
            {
                Safely(reaction.React, announced);
            }

            if (Volatile.Read(ref _lost) && _announced.Reader.Count == 0)
            {
                Volatile.Write(ref _lost, false);
                log.LogWarning("More than {Capacity} events waited to be told: streams are compared with the log", Capacity);
                MayHaveLost();
            }
        }
    }

    private void Safely<T>(Action<T> react, T what)
    {
        try
        {
            react(what);
        }
        catch (Exception e)
        {
            log.LogError(e, "A reaction to {What} failed", what);
        }
    }
}
