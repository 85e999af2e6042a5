using Microsoft.Extensions.Hosting;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Reads derived streams that may have another state, one after the other: a change that concerns a hundred thousand of them
/// takes its time, and stalls nobody else.
/// </summary>
public sealed class DerivedReads(EventPump pump) : BackgroundService
{
    /// <summary>So many may wait for a grain or the database at once.</summary>
    private const int MostWaiting = 64;

    private readonly SemaphoreSlim _room = new(MostWaiting);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var read = 0;
        await foreach (var relay in pump.ToRead.Reader.ReadAllAsync(stoppingToken))
        {
            await _room.WaitAsync(stoppingToken);
            _ = Read(relay);
            if (++read % MostWaiting == 0)
            {
                await Task.Yield();
            }
        }
    }

    private async Task Read(DerivedRelay relay)
    {
        try
        {
            await relay.Tell();
        }
        finally
        {
            _room.Release();
        }
    }

    public override void Dispose()
    {
        _room.Dispose();
        base.Dispose();
    }
}
