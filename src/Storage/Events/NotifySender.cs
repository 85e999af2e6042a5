using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PersonaActors.Storage.Events;

/// <summary>
/// Tells the other processes of a cluster what was committed here: one notification every few milliseconds for all that
/// happened since, of each stream only how far it goes.
/// </summary>
public sealed class NotifySender : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _dirty = new(0, 1);
    private readonly Database _database;
    private readonly Clock _time;
    private readonly ILogger<NotifySender> _log;
    private Dictionary<(Guid?, string), long> _pending = [];

    public NotifySender(Database database, EventFeed feed, Clock time, ILogger<NotifySender> log)
    {
        _database = database;
        _time = time;
        _log = log;
        feed.Listen(OnAnnounced);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _dirty.WaitAsync(stoppingToken);
            Dictionary<(Guid?, string), long> hints;
            lock (_lock)
            {
                (hints, _pending) = (_pending, []);
            }

            try
            {
                await EventHints.Send(_database, hints.Select(hint => new EventHint(hint.Key.Item1, hint.Key.Item2, hint.Value)), stoppingToken);
            }
            catch (NpgsqlException e)
            {
                // Hints only: the others' check of positions finds what these would have told.
                _log.LogWarning("Hints to other gateways were not sent: {Reason}", e.Message);
            }

            await Task.Delay(Pause, _time, stoppingToken);
        }
    }

    private void OnAnnounced(Announcement announced)
    {
        bool first;
        lock (_lock)
        {
            first = _pending.Count == 0;
            _pending[(announced.Tenant, announced.Event.Stream)] = announced.Event.Seq;
        }

        if (first)
        {
            _dirty.Release();
        }
    }
}
