using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>Everything is checked before anything is done: a refused start has ended no session. That one lives at a time is the table's law.</summary>
public sealed class PersonSessionsGrain(Database database, FocusStore sessions, Owners owners, Clock time) : Grain, IPersonSessionsGrain
{
    private TenantScopedKey _key;
    private Owner _owner = null!;

    /// <summary>The session that began last, if it may still be live.</summary>
    private Guid? _live;

    /// <summary>When one began last, which only rises: the version of the view.</summary>
    private long _begun;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Sessions, _key), "", () => _begun, DeactivateOnIdle);
        _live = await sessions.LiveId(_key.Tenant, _key.Id);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<BegunSession>> Grant(SiloAddress holder) => _owner.Grant(holder, () => new BegunSession(_live));

    public async Task<Outcome<FocusSessionView>> Start(Command command, FocusStart start)
    {
        if (FocusChecks.Check(start) is { } invalid)
        {
            return invalid;
        }

        var around = await Companion.Surroundings(start.TaskId);
        if (start.TaskId is { } task && around?.Task is null)
        {
            return Refusal.Invalid("taskId", $"The person has no task {task}.");
        }

        if (around is null)
        {
            if (await GrainFactory.Of<IUserGrain>(_key).RegisterOnFirstUse(command) is { } refusal)
            {
                return refusal;
            }

            around = await Companion.Surroundings(start.TaskId);
        }

        if (await sessions.LiveId(_key.Tenant, _key.Id) is { } live)
        {
            if (live != _live)
            {
                await _owner.Change(() => Task.FromResult(_live = live));
            }

            var running = Session(live);
            await running.Wake();
            if (await running.Get() is { Value.State: not FocusState.Ended } read)
            {
                if (start.ArrivedAt <= read.Value.StartedAt && IsSame(start, read.Value))
                {
                    return await _owner.Unchanged(
                        database.Begin(RowScope.OfUser(_key.Tenant, _key.Id)), command, _key.Id,
                        Outcome<FocusSessionView>.Done(read.Value).Since(read.Epoch, read.Seq), time.GetUtcNow());
                }

                if (!start.TakeOver)
                {
                    return new Refusal(
                        RefusalKind.Conflict, FocusRefusals.SessionRunning, "The person has a live session: end it, or start with 'takeover'.", null,
                        JsonText.From(new { sessionId = live }));
                }

                if (await running.TakeOver() is { } ended)
                {
                    await Soon(Companion.NoteEnded(ended));
                    // The end has changed what is around; a start that is tried again after it would see that too.
                    around = await Companion.Surroundings(start.TaskId);
                }
            }
        }

        return around is null ? Refusal.NotFound("user") : await Begin(command, start, around);
    }

    private async Task<Outcome<FocusSessionView>> Begin(Command command, FocusStart start, Surroundings around)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        Outcome<FocusSessionView> outcome = null!;
        try
        {
            await _owner.Change(async () =>
            {
                outcome = await Session(id).Start(
                    command, new FocusBegin(start.Mode, start.TaskId, start.EstimatedMinutes, start.Plan ?? new FocusPlan(), around));
                if (outcome.Value is not null)
                {
                    (_live, _begun) = (id, time.GetUtcNow().Ticks);
                }
            });
        }
        catch
        {
            // Whether it began is not known here; a fresh activation looks.
            DeactivateOnIdle();
            throw;
        }

        if (outcome.Value is { } view)
        {
            await Soon(Companion.NoteStarted(view));
        }

        return outcome;
    }

    public async Task<Outcome<FocusSessionView>> End(Command command, Guid session, SessionEnd end)
    {
        var outcome = await Session(session).End(command, end);
        if (outcome.Value is { } view)
        {
            await Soon(Companion.NoteEnded(view));
        }

        return outcome;
    }

    public async Task Forget()
    {
        await _owner.Change(() =>
        {
            _live = null;
            return Task.CompletedTask;
        });
        DeactivateOnIdle();
    }

    public async Task LookAhead() => await Companion.LookAhead(inSession: await sessions.LiveId(_key.Tenant, _key.Id) is not null);

    /// <summary>What the session committed also asks for this by the outbox: if it fails here, it happens a moment later.</summary>
    private static async Task Soon(Task note)
    {
        try
        {
            await note;
        }
        catch (Exception e) when (e.MayPass())
        {
        }
    }

    private static bool IsSame(FocusStart start, FocusSessionView view) =>
        view.Mode == start.Mode && view.TaskId == start.TaskId && view.EstimatedMinutes == start.EstimatedMinutes;

    private IFocusSessionGrain Session(Guid id) => GrainFactory.Of<IFocusSessionGrain>(new OwnedKey(_key.Tenant, _key.Id, id));

    private ICompanionGrain Companion => GrainFactory.Of<ICompanionGrain>(_key);
}
