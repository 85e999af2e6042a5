using System.Collections.Immutable;
using Npgsql;

namespace PersonaActors.Grains.Catalogue;

/// <summary>What a catalogue has of one kind, and how one of them is made, changed and deleted.</summary>
/// <param name="name">Of one, as a refusal's code has it.</param>
/// <param name="plural">As a refusal's text has it.</param>
internal abstract class CatalogueKind<T>(CatalogueWriter catalogue, string name, string plural)
    where T : class
{
    protected CatalogueWriter Catalogue => catalogue;

    protected abstract ImmutableDictionary<Guid, T> Known { get; }

    public Read<T>? Find(Guid id) => Known.TryGetValue(id, out var found) ? catalogue.Read(found) : null;

    public virtual async Task<Outcome<Nothing>> Delete(Command command, Guid id)
    {
        if (!Known.TryGetValue(id, out var known))
        {
            return Refusal.NotFound(name);
        }

        return (catalogue.MayWrite(command) ?? command.Stale(VersionOf(known))) is { } refusal
            ? refusal
            : await catalogue.Commit(command, Outcome<Nothing>.Deleted(), change => Remove(change, known), catalogue.Now());
    }

    protected async Task<Outcome<T>> Create(Command command, Func<Guid, DateTimeOffset, T> draft)
    {
        var now = catalogue.Now();
        var made = draft(Guid.CreateVersion7(now), now);
        return (catalogue.MayWrite(command) ?? await Check(made, null) ?? CheckRoom()) is { } refusal
            ? refusal
            : await Commit(command, Outcome<T>.Created(made), change => Put(change, made), now);
    }

    protected async Task<Outcome<T>> Update(Command command, Guid id, Func<T, T> change)
    {
        if (!Known.TryGetValue(id, out var known))
        {
            return Refusal.NotFound(name);
        }

        var now = catalogue.Now();
        var next = change(known);
        if ((catalogue.MayWrite(command) ?? command.Stale(VersionOf(known)) ?? await Check(next, known)) is { } refusal)
        {
            return refusal;
        }

        return next.Equals(known) ? await catalogue.Unchanged(command, known, now) : await Save(command, Raised(next, now), now);
    }

    protected virtual Task<Outcome<T>> Save(Command command, T next, DateTimeOffset now) =>
        Commit(command, Outcome<T>.Done(next), change => Put(change, next), now);

    /// <param name="committed">What is done before anybody sees it.</param>
    protected async Task<Outcome<T>> Commit(
        Command command, Outcome<T> outcome, Action<CatalogueChange> put, DateTimeOffset now, Func<Task>? committed = null)
    {
        try
        {
            return await catalogue.Commit(command, outcome, put, now, committed);
        }
        catch (PostgresException e) when (Taken(e) is { } refusal)
        {
            return refusal;
        }
    }

    protected abstract long VersionOf(T known);

    /// <summary>As it is written: of the version after the known one's.</summary>
    protected abstract T Raised(T next, DateTimeOffset now);

    protected abstract ValueTask<Refusal?> Check(T next, T? known);

    /// <summary>What somebody else took in the meantime.</summary>
    protected virtual Refusal? Taken(PostgresException e) => null;

    protected abstract void Put(CatalogueChange change, T next);

    protected abstract void Remove(CatalogueChange change, T known);

    private Refusal? CheckRoom() => Known.Count < CatalogueGrain.MaxOfAKind
        ? null
        : Refusal.Conflict("catalogue_full", $"A tenant has at most {CatalogueGrain.MaxOfAKind} {plural}.");
}
