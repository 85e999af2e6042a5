using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Hears of what other processes committed: other gateways' silos, the command line. Whenever its connection had been lost,
/// hints may have been too, and the database may be another one than before (a restored backup): everything is checked again.
/// </summary>
public sealed class NotifyListener(Database database, EventFeed feed, Clock time, ILogger<NotifyListener> log) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var waiting = new Waiting("Listening for other processes", log);
        while (true)
        {
            try
            {
                await using var connection = await database.OpenListening(EventHints.Channel, stoppingToken);
                connection.Notification += (_, notification) => Hear(notification.Payload);
                feed.MayHaveLost();
                waiting.GoesOn();
                while (true)
                {
                    await connection.WaitAsync(stoppingToken);
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                waiting.Failed(e);
            }

            await Task.Delay(Retry, time, stoppingToken);
        }
    }

    private void Hear(string payload)
    {
        foreach (var hint in EventHints.Read(payload, feed.Node))
        {
            feed.Hint(hint);
        }
    }
}
