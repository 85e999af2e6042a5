using System.Collections.Immutable;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>
/// One user in memory, and the one way in which each part of the user changes: the next state is committed with its events
/// and its answer, and only then is it what is in memory, and announced. What is read is the last committed state, whole,
/// because it is one reference.
/// </summary>
internal sealed class UserWriter(Database database, UserStore store, TenantScopedKey key, string stream, Owner owner, Clock time, Action leave)
{
    public Guid Tenant => key.Tenant;

    public Guid Id => key.Id;

    public string Stream => stream;

    /// <summary>None where nobody registered.</summary>
    public UserRow? Row { get; private set; }

    public async Task Load() => Row = await store.Load(key.Tenant, key.Id, owner.Epoch);

    public Task Reload() => owner.Change(Load);

    public void Forget() => Row = null;

    public Read<T>? Read<T>(T? value)
        where T : class => Row is { } row && value is not null ? new Read<T>(value, database.Epoch, row.Seq) : null;

    /// <summary>What every command on an existing user checks first.</summary>
    public Refusal? CheckFound(Command command) => Row is { } user ? command.Stale(user.View.Version) : Refusal.NotFound("user");

    /// <summary>The user as it will be, but for what the command changes.</summary>
    public UserRow Next(UserRow known) => known with { View = known.View with { Version = known.View.Version + 1, UpdatedAt = Now() } };

    /// <summary>PostgreSQL keeps microseconds; what is in memory must equal what a fresh activation loads.</summary>
    public DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();

    public ScopedBatch Begin() => database.Begin(RowScope.OfUser(key.Tenant, key.Id), owner.Epoch);

    public Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, UserRow next) => owner.Commit(batch, events => Row = next with { Seq = events[^1].Seq });

    public Task<Outcome<UserView>> Unchanged(Command command, UserRow known) => Unchanged(command, known, known.View);

    public Task<Outcome<T>> Unchanged<T>(Command command, UserRow known, T value)
        where T : class => owner.Unchanged(Begin(), command, key.Id, Outcome<T>.Done(value).Since(database.Epoch, known.Seq), Now());

    /// <summary>A change of what GET of the user shows.</summary>
    /// <param name="rows">What else is written, at that time.</param>
    public async Task<Outcome<UserView>> Change(
        Command command, UserRow known, UserView view, bool isPlaceholder, Action<ScopedBatch, DateTimeOffset>? rows = null)
    {
        var next = Next(known);
        var (now, before) = (next.View.UpdatedAt, known.View);
        next = next with { View = view with { Version = next.View.Version, UpdatedAt = now }, IsPlaceholder = isPlaceholder };
        var outcome = Outcome<UserView>.Done(next.View);
        var batch = Begin();
        UserStore.Update(batch, key.Tenant, next.View, isPlaceholder);
        rows?.Invoke(batch, now);
        batch.Append(stream, key.Id, next.View.IsActive == before.IsActive ? "user.updated" : EventTypes.UserAccessChanged, now, MergePatch.Between(before, next.View));
        if (before.IsActive && !next.View.IsActive)
        {
            batch.Task(EndLiveSession.Kind, JsonText.From(new EndLiveSession.Payload(key.Id)), now);
        }

        batch.Answer(command, key.Id, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    /// <summary>
    /// A change of what belongs to the user beside what GET of it shows. It raises the user's version all the same: that is
    /// what refuses another activation that doesn't know of it.
    /// </summary>
    /// <param name="part">What the event names beside the changes.</param>
    public async Task<Outcome<T>> Change<T>(
        Command command, UserRow known, UserRow next, string type, string part, object value, Outcome<T> outcome, Action<ScopedBatch> rows)
        where T : class
    {
        var batch = Begin();
        UserStore.Update(batch, key.Tenant, next.View, next.IsPlaceholder);
        rows(batch);
        batch.Append(stream, key.Id, type, next.View.UpdatedAt, MergePatch.Between(known.View, next.View, part, value));
        batch.Answer(command, key.Id, outcome, next.View.UpdatedAt);
        return outcome.After(await Commit(batch, next));
    }

    /// <summary>
    /// The same, where overrides change too. A persona, config or personality that was deleted meanwhile is met by its foreign
    /// key; the fresh activation that then answers doesn't know it either.
    /// </summary>
    /// <param name="rows">What else is written, after the overrides.</param>
    public async Task<Outcome<T>> ChangeOverrides<T>(
        Command command, UserRow known, UserRow next, string type, string part, object value, Outcome<T> outcome, Action<ScopedBatch>? rows = null)
        where T : class
    {
        try
        {
            return await Change(command, known, next, type, part, value, outcome, batch =>
            {
                Write(batch, known.Overrides, next.Overrides);
                rows?.Invoke(batch);
            });
        }
        catch (PostgresException e) when (e.IsForeignKey() && !e.IsForeignKey(PersonalityStore.DefaultConfigKey))
        {
            leave();
            throw new ActivationOutdatedException("What an override refers to was deleted meanwhile.", e);
        }
    }

    private void Write(ScopedBatch batch, ImmutableDictionary<Guid, OverrideView> known, ImmutableDictionary<Guid, OverrideView> next)
    {
        foreach (var personality in known.Keys.Where(personality => !next.ContainsKey(personality)))
        {
            OverrideStore.Delete(batch, key.Tenant, key.Id, personality);
        }

        foreach (var (personality, kept) in next)
        {
            if (kept != known.GetValueOrDefault(personality))
            {
                OverrideStore.Put(batch, key.Tenant, key.Id, kept);
            }
        }
    }
}
