using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// Wakes what is due. Twice a second the sessions whose time has come, the most overdue first, are woken, whether or not
/// anything else remembered them: this is what makes ticks punctual, and what an occurrence outlives a lost reminder, a
/// crash or a move by. Waking twice does no harm, so nodes need not agree on who does it.
/// </summary>
public sealed class FocusSweep(FocusStore sessions, CompanionStore companions, IGrainFactory grains, TimeProvider time, ILogger<FocusSweep> log) : BackgroundService
{
    private const int Batch = 500;
    private const int AtOnce = 24;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EmotionsEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(1);
    private static readonly Meter Meter = new("PersonaActors.Focus");

    private static readonly Histogram<double> Lateness = Meter.CreateHistogram<double>(
        "personactors.focus.wake.lateness", "s", "How late a due session was woken");

    private DateTimeOffset _emotionsAt = DateTimeOffset.MinValue;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                await WakeDue(stoppingToken);
                await RefreshEmotions(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or StorageUnavailableException)
            {
                log.LogWarning("The focus sweep waits for the database: {Reason}", e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Wakes every session in which something is due by now.</summary>
    public async Task WakeDue(CancellationToken cancel)
    {
        while (true)
        {
            var due = await sessions.Due(time.GetUtcNow(), Batch, cancel);
            var woken = 0;
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (session, _) =>
            {
                if (await Wake(session))
                {
                    Interlocked.Increment(ref woken);
                }
            });
            // What can't be woken stays due, and is not tried again before the next round.
            if (due.Count < Batch || woken == 0)
            {
                return;
            }
        }
    }

    private async Task<bool> Wake(DueSession session)
    {
        try
        {
            await grains.Of<IFocusSessionGrain>(new OwnedKey(session.Tenant, session.Person, session.Id)).Wake();
            Lateness.Record((time.GetUtcNow() - session.WakeAt).TotalSeconds);
            return true;
        }
        catch (Exception e) when (e is ActivationOutdatedException or StorageUnavailableException or TimeoutException or SiloUnavailableException)
        {
            // Still due: the next sweep meets it again.
            log.LogDebug("A session was not woken: {Reason}", e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One session that can't be woken must not keep the others waiting.
            log.LogError(e, "A session can't be woken");
        }

        return false;
    }

    private async Task RefreshEmotions(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (now - _emotionsAt < EmotionsEvery)
        {
            return;
        }

        _emotionsAt = now;
        foreach (var person in await companions.EmotionsDue(now, Batch, cancel))
        {
            try
            {
                await grains.Of<ICompanionGrain>(new TenantScopedKey(person.Tenant, person.Person)).RefreshEmotion();
            }
            catch (Exception e) when (e is ActivationOutdatedException or StorageUnavailableException or TimeoutException or SiloUnavailableException)
            {
                log.LogDebug("A mood was not refreshed: {Reason}", e.Message);
            }
        }

        await companions.Forget(now - ForgottenAfter, Batch, cancel);
    }
}
