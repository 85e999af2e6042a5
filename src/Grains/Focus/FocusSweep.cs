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
public sealed class FocusSweep(FocusStore sessions, CompanionStore companions, IGrainFactory grains, Clock time, ILogger<FocusSweep> log) : BackgroundService
{
    private const int Batch = 500;
    private const int AtOnce = 24;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PeopleEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(1);
    private static readonly Meter Meter = new("PersonaActors.Focus");

    private static readonly Histogram<double> Lateness = Meter.CreateHistogram<double>(
        "personactors.focus.wake.lateness", "s", "How late a due session was woken");

    private DateTimeOffset _peopleAt = DateTimeOffset.MinValue;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                await WakeDue(stoppingToken);
                if (time.GetUtcNow() - _peopleAt >= PeopleEvery)
                {
                    _peopleAt = time.GetUtcNow();
                    await WakePeople(stoppingToken);
                    await companions.Forget(_peopleAt - ForgottenAfter, Batch, stoppingToken);
                }
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

    /// <summary>People whose mood may have changed by itself, and those who may be due a nudge outside sessions.</summary>
    public async Task WakePeople(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await WakeAll(companions.EmotionsDue, static companion => companion.RefreshEmotion(), now, cancel);
        await WakeAll(companions.NudgesDue, static companion => companion.LookAhead(), now, cancel);
    }

    private async Task WakeAll(
        Func<DateTimeOffset, int, CancellationToken, Task<List<DuePerson>>> find, Func<ICompanionGrain, Task> wake, DateTimeOffset now, CancellationToken cancel)
    {
        while (true)
        {
            var due = await find(now, Batch, cancel);
            var woken = 0;
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (person, _) =>
            {
                try
                {
                    await wake(grains.Of<ICompanionGrain>(new TenantScopedKey(person.Tenant, person.Person)));
                    Interlocked.Increment(ref woken);
                }
                catch (Exception e) when (e is ActivationOutdatedException or StorageUnavailableException or TimeoutException or SiloUnavailableException)
                {
                    // Still due: the next sweep meets it again.
                    log.LogDebug("A person was not woken: {Reason}", e.Message);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogError(e, "A person can't be woken");
                }
            });
            if (due.Count < Batch || woken == 0)
            {
                return;
            }
        }
    }
}
