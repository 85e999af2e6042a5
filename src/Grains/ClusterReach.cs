using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts;
using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// When this silo last reached the database, where it is written who belongs to the cluster. One that hasn't for ten seconds
/// may have been voted dead without knowing it, and its grains may live elsewhere by now: it resolves no prompts until it has,
/// unless it is told to serve all the same, being alone. One that reaches it reads there that it is dead, and ends.
/// </summary>
/// <param name="time">Not the domain's clock: this is about real silos.</param>
public sealed class ClusterReach(Database database, GrainOptions options, TimeProvider time, ILogger<ClusterReach> log) : BackgroundService
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private long _reached = time.GetTimestamp();

    /// <exception cref="StorageUnavailableException">What this silo holds may be old.</exception>
    public void Check()
    {
        if (!options.ServesWhenCutOff && time.GetElapsedTime(Volatile.Read(ref _reached)) > Longest)
        {
            throw new StorageUnavailableException("This silo hasn't reached its cluster's membership for a while, so it can't say whether what it holds still holds.");
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("The silo", Pause, time, log).Run(Reach, stoppingToken);

    private async Task Reach(CancellationToken stop)
    {
        var asked = time.GetTimestamp();
        using var patience = new CancellationTokenSource(Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            await database.RefreshEpoch(either.Token);
            Volatile.Write(ref _reached, asked);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new StorageUnavailableException("The database doesn't answer.", e);
        }
    }
}
