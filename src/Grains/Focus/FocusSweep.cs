using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>
/// Wakes what is due. Twice a second the sessions of this silo's part whose time has come, the most overdue first, are woken,
/// whether or not anything else remembered them: this is what makes ticks punctual, and what an occurrence outlives a lost
/// reminder, a crash or a move by. Waking twice does no harm.
/// </summary>
public sealed class FocusSweep(
    FocusStore sessions, CompanionStore companions, IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails silo, Clock time, ILogger<FocusSweep> log)
    : BackgroundService
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

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("The focus sweep", Every, time, log).Run(Sweep, stoppingToken);

    private async Task Sweep(CancellationToken cancel)
    {
        await WakeDue(cancel);
        if (time.GetUtcNow() - _peopleAt >= PeopleEvery)
        {
            _peopleAt = time.GetUtcNow();
            await WakePeople(cancel);
            await companions.Forget(_peopleAt - ForgottenAfter, Batch, cancel);
        }
    }

    /// <summary>Wakes every session of this silo's part in which something is due by now.</summary>
    public Task WakeDue(CancellationToken cancel) => WakeAll(sessions.Due, async session =>
    {
        await grains.Of<IFocusSessionGrain>(new OwnedKey(session.Tenant, session.Person, session.Id)).Wake();
        Lateness.Record((time.GetUtcNow() - session.WakeAt).TotalSeconds);
        log.LogDebug("Woke session {Session}", session.Id);
    }, cancel);

    /// <summary>People whose mood may have changed by itself, and those who may be due a nudge outside sessions.</summary>
    public async Task WakePeople(CancellationToken cancel)
    {
        await WakeAll(companions.EmotionsDue, person => grains.Of<ICompanionGrain>(person.Key).RefreshEmotion(), cancel);
        await WakeAll(companions.NudgesDue, person => grains.Of<IPersonSessionsGrain>(person.Key).LookAhead(), cancel);
    }

    private async Task WakeAll<T>(Func<DateTimeOffset, Part, int, CancellationToken, Task<List<T>>> find, Func<T, Task> wake, CancellationToken cancel)
    {
        while (SweepPart.Of(membership, silo.SiloAddress) is { } part)
        {
            var due = await find(time.GetUtcNow(), part, Batch, cancel);
            var woken = 0;
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (one, _) =>
            {
                if (await TryWake(() => wake(one)))
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

    private async Task<bool> TryWake(Func<Task> wake)
    {
        try
        {
            await wake();
            return true;
        }
        catch (Exception e) when (e.MayPass())
        {
            // Still due: the next sweep meets it again.
            log.LogDebug("Something due was not woken: {Reason}", e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One that can't be woken must not keep the others waiting.
            log.LogError(e, "Something due can't be woken");
        }

        return false;
    }
}
