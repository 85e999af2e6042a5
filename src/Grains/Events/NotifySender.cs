using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Grains.Events;

/// <summary>
/// Tells the other processes of a cluster what was committed here: one notification every few milliseconds for all that
/// happened since, of each stream only how far it goes.
/// </summary>
public sealed class NotifySender(Database database, EventFeed feed, Clock time, ILogger<NotifySender> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private const int MaxPassing = 1000;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _dirty = new(0, 1);
    private Dictionary<(Guid?, string), long> _pending = [];
    private List<EventHint> _passing = [];

    public void Note(Announcement announced)
    {
        bool first;
        lock (_lock)
        {
            first = _pending.Count + _passing.Count == 0;
            if (announced.Event.Type == ChannelEvents.Typing)
            {
                if (_passing.Count == MaxPassing)
                {
                    return;
                }

                _passing.Add(new EventHint(announced.Tenant, announced.Event.Stream, 0, announced.Event));
            }
            else
            {
                var stream = (announced.Tenant, announced.Event.Stream);
                _pending[stream] = Math.Max(_pending.GetValueOrDefault(stream), announced.Event.Seq);
            }
        }

        if (first)
        {
            _dirty.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var waiting = new Waiting("Telling other processes", log);
        while (true)
        {
            await _dirty.WaitAsync(stoppingToken);
            Dictionary<(Guid?, string), long> hints;
            List<EventHint> passing;
            lock (_lock)
            {
                (hints, _pending, passing, _passing) = (_pending, [], _passing, []);
            }

            try
            {
                // Hints only: the others' check of positions finds what would not be told.
                await EventHints.Send(database, feed.Node, hints.Select(hint => new EventHint(hint.Key.Item1, hint.Key.Item2, hint.Value)).Concat(passing), stoppingToken);
                waiting.GoesOn();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                waiting.Failed(e);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }
}
