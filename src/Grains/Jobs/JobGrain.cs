using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Storage;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Grains.Jobs;

/// <summary>
/// One job. Its row says that it is there and what became of it; how far it is lies in grain storage, written after each
/// part. A timer does one part after the other beside the grain's calls, so that it can be read and cancelled meanwhile;
/// whatever happens to the silo, the sweep (<see cref="JobSweep"/>) or else the reminder wakes it elsewhere, and it goes on.
/// </summary>
[CollectionAgeLimit(Minutes = 2)]
public sealed class JobGrain(
    Database database, JobStore store, JobKinds kinds, Owners owners, Clock time, IHostApplicationLifetime node, ILogger<JobGrain> log,
    [PersistentState(JobProgress.State, JobProgress.Storage)] IPersistentState<JobProgress> progress)
    : Grain, IJobGrain, IRemindable, IDisposable
{
    private const string WakeReminder = "wake";
    private const int MaxRunning = 5;
    private const int MaxFailures = 5;

    // Orleans refuses shorter ones.
    private static readonly TimeSpan RemindEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private static readonly Refusal NotFound = Refusal.NotFound("job");

    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private JobRow? _state;
    private IGrainTimer? _timer;
    private Task _part = Task.CompletedTask;
    private CancellationTokenSource _stop = new();
    private long _toldAt;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Job(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Job, _key), _stream, () => _state?.View.Version ?? 0, DeactivateOnIdle);
        _state = await store.Load(_key.Tenant, _key.Id, _owner.Epoch);
        GoOn();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public void Dispose() => _stop.Dispose();

    public Task<Read<JobView>?> Get() => Task.FromResult(_state is { } job ? new Read<JobView>(job.View, database.Epoch, job.Seq) : null);

    public async Task<Outcome<JobView>> Start(Command command, JobOrder order)
    {
        if (_state is { } known)
        {
            return Outcome<JobView>.Done(known.View).Since(database.Epoch, known.Seq);
        }

        if (await store.CountRunning(_key.Tenant, order.User) >= MaxRunning)
        {
            return new Refusal(RefusalKind.TooMany, JobRefusals.TooMany, $"{MaxRunning} jobs run already: wait for one of them, or cancel it.");
        }

        var now = Now();
        var job = new JobView(
            _key.Id, order.Kind, order.User, command.Caller == Guid.Empty ? null : command.Caller, JobStatus.Running, "waiting", 0, null, null, null, null, 1, now, now, null);
        var outcome = Outcome<JobView>.Created(job);
        // Both before the commit: a reminder or progress without a job is nothing, a job without them would depend on the sweep, or be written after its user is gone.
        await this.RegisterOrUpdateReminder(WakeReminder, RemindEvery, RemindEvery);
        await progress.WriteStateAsync();
        var batch = Begin(order.User);
        JobStore.Insert(batch, _key.Tenant, job, order.Input);
        if (order.File is { } file)
        {
            JobFileStore.Put(batch, _key.Tenant, _key.Id, JobFileStore.Input, file, null);
        }

        batch.Append(_stream, order.User, "job.created", now, MergePatch.Created(job));
        batch.Answer(command, order.User, outcome, now);
        try
        {
            outcome = outcome.After(await _owner.Commit(batch, events => _state = new JobRow(job, order.Input, events[^1].Seq)));
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            DeactivateOnIdle();
            return Refusal.NotFound("user");
        }

        GoOn();
        return outcome;
    }

    public async Task<Outcome<JobView>> Cancel(Command command)
    {
        if (_state is { View.Status: JobStatus.Running })
        {
            // What runs ends here, and is not begun again.
            await _stop.CancelAsync();
            await _part;
        }

        try
        {
            if (_state is not { } job)
            {
                return NotFound;
            }

            if (command.Stale(job.View.Version) is { } stale)
            {
                return stale;
            }

            if (job.View.Status == JobStatus.Cancelled)
            {
                return await _owner.Unchanged(Begin(job.View.UserId), command, job.View.UserId, Outcome<JobView>.Done(job.View).Since(database.Epoch, job.Seq), Now());
            }

            if (job.View.Status != JobStatus.Running)
            {
                return Refusal.Conflict(JobRefusals.Ended, "The job has ended already.");
            }

            var stays = await Abandon(job);
            return await End(job, command, "job.cancelled", JobStatus.Cancelled, view => view with { Stays = stays });
        }
        finally
        {
            GoOn();
        }
    }

    public Task Wake()
    {
        GoOn();
        return Task.CompletedTask;
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (_state is not { View.Status: JobStatus.Running })
        {
            await Unremind();
        }
    }

    /// <summary>Begins the next part, if the job runs and none is under way.</summary>
    private void GoOn(TimeSpan after = default)
    {
        if (_state is not { View.Status: JobStatus.Running })
        {
            return;
        }

        if (_stop.IsCancellationRequested)
        {
            _stop.Dispose();
            _stop = new CancellationTokenSource();
        }
        else if (_timer is not null && after == default)
        {
            return;
        }

        Rest();
        _timer = this.RegisterGrainTimer(
            OnTimer, new GrainTimerCreationOptions(after, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
    }

    private void Rest()
    {
        _timer?.Dispose();
        _timer = null;
    }

    /// <param name="leaving">The timer ends. The activation ends only after this has, so that the node stops is for the node to say.</param>
    private Task OnTimer(CancellationToken leaving) => _part = Part(leaving);

    private async Task Part(CancellationToken leaving)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, leaving, node.ApplicationStopping);
        if (_state is not { View.Status: JobStatus.Running } job || stop.IsCancellationRequested)
        {
            return;
        }

        TimeSpan? again;
        try
        {
            again = await Do(job, stop.Token);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // It was told to.
            return;
        }
        catch (Exception e) when (e is ActivationOutdatedException or InconsistentStateException or CommandRepeatedException)
        {
            // Another activation does it, or nobody any more: whoever is loaded next knows.
            DeactivateOnIdle();
            again = null;
        }
        catch (Exception e) when (e.MayPass())
        {
            again = TellEvery;
        }

        var goesOn = again is not null && !stop.IsCancellationRequested;
        Rest();
        if (goesOn)
        {
            GoOn(again!.Value);
        }
    }

    /// <returns>In what time the next part is due, if one is.</returns>
    private async Task<TimeSpan?> Do(JobRow job, CancellationToken stop)
    {
        var at = progress.State;
        try
        {
            if (at.Report is null)
            {
                // The node may be older than the job.
                var kind = kinds.Find(job.View.Kind) ?? throw new JobFailedException("job_kind_unknown", $"Jobs of kind '{job.View.Kind}' aren't done here.");
                var step = await kind.Step(Work(job), stop);
                stop.ThrowIfCancellationRequested();
                (at.Cursor, at.Phase, at.Done, at.Total, at.Report, at.Failures) = (step.Cursor, step.Phase, step.Done, step.Total, step.Report, 0);
                await progress.WriteStateAsync(CancellationToken.None);
            }
        }
        catch (JobFailedException e)
        {
            return await Fail(job, new JobFailure(e.Code, e.Message));
        }
        catch (Exception e) when (!stop.IsCancellationRequested && e is not InconsistentStateException && !e.MayPass())
        {
            if (++at.Failures >= MaxFailures)
            {
                log.LogError(e, "A job of kind {Kind} failed {Times} times and is given up", job.View.Kind, MaxFailures);
                return await Fail(job, new JobFailure("job_failed", $"It failed {MaxFailures} times; the service's log says why."));
            }

            log.LogWarning(e, "A part of a job of kind {Kind} failed, and is tried again", job.View.Kind);
            await progress.WriteStateAsync(CancellationToken.None);
            return TimeSpan.FromSeconds(Math.Pow(2, at.Failures));
        }

        if (at.Report is { } report)
        {
            await End(job, null, "job.done", JobStatus.Done, view => view with { Report = report });
            return null;
        }

        if (at.Phase != job.View.Phase || time.GetElapsedTime(_toldAt) >= TellEvery)
        {
            var now = Now();
            var next = Told(job.View) with { Version = job.View.Version + 1, UpdatedAt = now };
            await Commit(job, next, "job.progress", now);
        }

        return TimeSpan.Zero;
    }

    private async Task<TimeSpan?> Fail(JobRow job, JobFailure failure)
    {
        var stays = await Abandon(job);
        await End(job, null, "job.failed", JobStatus.Failed, view => view with { Failure = failure, Stays = stays });
        return null;
    }

    private async Task<string?> Abandon(JobRow job) => kinds.Find(job.View.Kind) is { } kind ? await kind.Abandon(Work(job)) : null;

    private async Task<Outcome<JobView>> End(JobRow job, Command? command, string type, JobStatus status, Func<JobView, JobView> with)
    {
        var now = Now();
        var next = with(Told(job.View)) with { Status = status, Version = job.View.Version + 1, UpdatedAt = now, EndedAt = now };
        var outcome = await Commit(job, next, type, now, command);
        await Unremind();
        return outcome;
    }

    private async Task<Outcome<JobView>> Commit(JobRow job, JobView next, string type, DateTimeOffset now, Command? command = null)
    {
        var outcome = Outcome<JobView>.Done(next);
        var batch = Begin(next.UserId);
        JobStore.Update(batch, _key.Tenant, next);
        if (next.EndedAt is not null)
        {
            JobFileStore.DropInput(batch, _key.Tenant, _key.Id);
        }

        batch.Append(_stream, next.UserId, type, now, MergePatch.Between(job.View, next));
        if (command is not null)
        {
            batch.Answer(command, next.UserId, outcome, now);
        }

        var events = await _owner.Commit(batch, events => _state = new JobRow(next, next.EndedAt is null ? job.Input : null, events[^1].Seq));
        _toldAt = time.GetTimestamp();
        return outcome.After(events);
    }

    /// <summary>With how far it is by now.</summary>
    private JobView Told(JobView job) => job with { Phase = progress.State.Phase is { Length: > 0 } phase ? phase : job.Phase, Done = progress.State.Done, Total = progress.State.Total };

    private JobWork Work(JobRow job) => new(_key.Tenant, _key.Id, job.View.UserId, job.Input ?? JsonText.EmptyObject, progress.State.Cursor);

    private async Task Unremind()
    {
        if (await this.GetReminder(WakeReminder) is { } reminder)
        {
            await this.UnregisterReminder(reminder);
        }
    }

    private ScopedBatch Begin(Guid? user) => database.Begin(user is { } owner ? RowScope.OfUser(_key.Tenant, owner) : RowScope.OfTenant(_key.Tenant), _owner.Epoch);

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
