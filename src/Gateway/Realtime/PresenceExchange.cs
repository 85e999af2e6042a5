using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Tells the other gateways who is here: one notification every few milliseconds for all that
/// changed since, and that this one lives. <see cref="NotifyListener"/> hears what they say.
/// </summary>
public sealed class PresenceExchange(Presence presence, Database database, Clock time, ILogger<PresenceExchange> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _news = new(0);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        presence.Told = () =>
        {
            if (_news.CurrentCount == 0)
            {
                _news.Release();
            }
        };

        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Beat(stoppingToken), Tell(stoppingToken));

    private async Task Beat(CancellationToken cancel)
    {
        using var period = new PeriodicTimer(Presence.BeatPeriod, time);
        do
        {
            presence.Beat();
        }
        while (await period.WaitForNextTickAsync(cancel));
    }

    private async Task Tell(CancellationToken cancel)
    {
        while (true)
        {
            await _news.WaitAsync(cancel);
            try
            {
                await EventHints.Send(database, null, presence.TakeNews(), cancel);
            }
            catch (Exception e) when (e is NpgsqlException or StorageUnavailableException)
            {
                presence.NotTold();
                log.LogWarning("Other gateways were not told who is here: {Reason}", e.Message);
            }

            await Task.Delay(Pause, time, cancel);
        }
    }
}
