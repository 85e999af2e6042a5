using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Wake-ups may be lost: every few seconds, and when it is suspected, the positions of all streams that somebody listens to
/// are compared with the log, so nothing is later than that.
/// </summary>
public sealed class LogCheck(EventPump pump, EventLog log, Database database, ConnectionRoster roster, Clock time, ILogger<LogCheck> logger) : BackgroundService
{
    private const int PositionsPerRead = 1000;
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _checking = new(1, 1);

    /// <summary>Compares all streams that somebody listens to with the log, or with what they are derived from. Done every few seconds, and when hints may have been lost.</summary>
    public async Task Check(CancellationToken cancel)
    {
        await _checking.WaitAsync(cancel);
        try
        {
            pump.RetireIdle();
            pump.CheckDerived();
            var epoch = await database.RefreshEpoch(cancel);
            var relays = pump.Relays.OfType<LogRelay>().Where(relay => relay.IsOpen).ToList();
            foreach (var relay in relays.Where(relay => relay.Epoch != epoch))
            {
                pump.Drop(relay);
                relay.EpochChanged();
            }

            foreach (var tenant in relays.Where(relay => relay.Epoch == epoch).GroupBy(relay => relay.Tenant))
            {
                foreach (var some in tenant.Chunk(PositionsPerRead))
                {
                    await Compare(tenant.Key, some, cancel);
                }
            }
        }
        finally
        {
            _checking.Release();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var rounds = new Rounds("The check of streams against the log", Period, time, logger);
        pump.CheckWanted += rounds.Hurry;
        return rounds.Run(Round, stoppingToken);
    }

    private async Task Round(CancellationToken cancel)
    {
        roster.CloseStuck();
        await Check(cancel);
        await roster.CheckUsers(cancel);
    }

    private async Task Compare(Guid? tenant, LogRelay[] relays, CancellationToken cancel)
    {
        var told = relays.Select(relay => relay.Head).ToArray();
        Dictionary<string, StreamPosition> positions = [];
        if (tenant is { } id)
        {
            pump.CountRead();
            positions = await log.Positions(id, [.. relays.Select(relay => relay.Stream)], cancel);
        }
        else
        {
            foreach (var relay in relays)
            {
                pump.CountRead();
                positions[relay.Stream] = await log.Position(null, relay.Stream, cancel);
            }
        }

        for (var i = 0; i < relays.Length; i++)
        {
            relays[i].Check(positions.GetValueOrDefault(relays[i].Stream, new StreamPosition(0, 1)), told[i]);
        }
    }
}
