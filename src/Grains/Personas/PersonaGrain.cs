using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Grains.Personas;

/// <summary>
/// One persona. Changes it; its owner's grain made it and deletes it, and says so (<see cref="Forget"/>). A change that
/// crosses a deletion misses its row, and is answered by a fresh activation: there is no such persona.
/// </summary>
public sealed class PersonaGrain(Database database, PersonaStore store, Owners owners, Clock time) : Grain, IPersonaGrain
{
    private OwnedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private PersonaRow? _state;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = OwnedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Persona(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Persona, _key), _stream, () => _state?.View.Version ?? 0, DeactivateOnIdle);
        _state = await store.Load(_key.Tenant, _key.Owner, _key.Id, _owner.Epoch);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<PersonaView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public Task<Read<PersonaView>?> Get() =>
        Task.FromResult(_state is { } persona ? new Read<PersonaView>(persona.View, database.Epoch, persona.Seq) : null);

    public async Task<Outcome<PersonaView>> Update(Command command, PersonaChange change)
    {
        if (_state is not { View: var known })
        {
            return Refusal.NotFound("persona");
        }

        if (command.Stale(known.Version) is { } stale)
        {
            return stale;
        }

        var next = change.Over(known);
        if (PersonaRules.Check(next, known) is { } invalid)
        {
            return invalid;
        }

        var now = time.GetUtcNow().ToMicroseconds();
        if (next == known)
        {
            return await _owner.Unchanged(Begin(), command, _key.Owner, Outcome<PersonaView>.Done(known).Since(database.Epoch, _state.Seq), now);
        }

        next = next with { Version = known.Version + 1, UpdatedAt = now };
        var outcome = Outcome<PersonaView>.Done(next);
        var batch = Begin();
        PersonaStore.Update(batch, _key.Tenant, next);
        batch.Append(_stream, _key.Owner, "persona.updated", now, MergePatch.Between(known, next));
        batch.Answer(command, _key.Owner, outcome, now);
        try
        {
            return outcome.After(await _owner.Commit(batch, events => _state = new PersonaRow(next, events[^1].Seq)));
        }
        catch (PostgresException e) when (e.IsUnique(PersonaStore.NameKey))
        {
            return PersonaRefusals.TakenName(next.Name);
        }
    }

    public async Task Forget()
    {
        await _owner.Change(() =>
        {
            _state = null;
            return Task.CompletedTask;
        });
        DeactivateOnIdle();
    }

    private ScopedBatch Begin() => database.Begin(RowScope.OfUser(_key.Tenant, _key.Owner), _owner.Epoch);
}
