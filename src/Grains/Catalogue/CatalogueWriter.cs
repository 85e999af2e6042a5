using Npgsql;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>
/// A catalogue in memory, and the one way in which each kind of things in it changes. What is read is the last committed
/// state, whole, because it is one reference.
/// </summary>
internal sealed class CatalogueWriter(Database database, Guid? tenant, string stream, Owner owner, Clock time, Action leave, CatalogueState state)
{
    private static readonly Refusal AdminOnly = Refusal.Forbidden(
        "admin_only", "What belongs to the whole tenant is changed with an admin's or operator's key, or a service key that names no user.");

    public static readonly Refusal OperatorOnly = Refusal.Forbidden("operator_only", "Only an operator's key makes or changes system modes.");

    /// <summary>None where it is the system's catalogue.</summary>
    public Guid? Tenant => tenant;

    public CatalogueState State { get; private set; } = state;

    public Read<T> Read<T>(T value)
        where T : class => new(value, database.Epoch, State.Seq);

    public DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();

    public Refusal? MayWrite(Command command) => tenant is null
        ? command.Actor.IsOperator ? null : OperatorOnly
        : command.Actor.ActsForTenant ? null : AdminOnly;

    /// <param name="committed">What is done before anybody sees it.</param>
    public async Task<Outcome<T>> Commit<T>(
        Command command, Outcome<T> outcome, Action<CatalogueChange> put, DateTimeOffset now, Func<Task>? committed = null)
        where T : class
    {
        var batch = Begin();
        var change = new CatalogueChange(batch, tenant, stream, State, now);
        put(change);
        batch.Answer(command, null, outcome, now);
        try
        {
            return outcome.After(await owner.Commit(batch, events => State = change.Next.At(State.Version + 1, events[^1].Seq), committed));
        }
        catch (PostgresException e) when (e.IsForeignKey(CatalogueStore.TenantKey))
        {
            leave();
            return Refusal.NotFound("tenant");
        }
    }

    public Task<Outcome<T>> Unchanged<T>(Command command, T known, DateTimeOffset now)
        where T : class => owner.Unchanged(Begin(), command, null, Outcome<T>.Done(known).Since(database.Epoch, State.Seq), now);

    private ScopedBatch Begin() => database.Begin(CatalogueStore.Scope(tenant), owner.Epoch);
}
