using Npgsql;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Texts;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>Notes of the user, which prompts recall. The grain holds only how many there are: whoever has none isn't searched.</summary>
internal sealed class UserMemories(UserWriter user, MemoryStore memories, MemoryEmbedding embedding)
{
    private static readonly Refusal NoMemory = Refusal.NotFound("memory");
    private static readonly Refusal MemoryExists = Refusal.Conflict("memory_exists", "The same is noted already.", "content");

    public async Task<Outcome<AddedMemories>> Add(Command command, Items<NewUserMemory> given)
    {
        if (user.Row is not { } known)
        {
            return Refusal.NotFound("user");
        }

        if (given.Select(MemoryRules.Check).FirstOrDefault(refusal => refusal is not null) is { } invalid)
        {
            return invalid;
        }

        var there = new Dictionary<(Guid?, string), UserMemoryView>();
        foreach (var memory in await memories.Known(user.Tenant, user.Id, [.. given.Select(memory => memory.Content)]))
        {
            there[(memory.PersonalityId, memory.Content)] = memory;
        }

        var next = user.Next(known);
        var now = next.View.UpdatedAt;
        var made = new List<UserMemoryView>();
        foreach (var memory in given)
        {
            if (!there.ContainsKey((memory.PersonalityId, memory.Content)))
            {
                var noted = new UserMemoryView(
                    Guid.CreateVersion7(now), user.Id, memory.PersonalityId, memory.Content, TokenCount.Of(memory.Content), memory.Source, 1,
                    memory.CreatedAt?.ToUniversalTime().ToMicroseconds() ?? now, now);
                made.Add(there[(memory.PersonalityId, memory.Content)] = noted);
            }
        }

        var all = new AddedMemories(given.Select(memory => there[(memory.PersonalityId, memory.Content)]).ToItems(), made.Count);
        if (made.Count == 0)
        {
            return await user.Unchanged(command, known, all);
        }

        if (known.Memories + made.Count > MemoryRules.MaxMemories)
        {
            return Refusal.Conflict("memories_full", $"Of a user at most {MemoryRules.MaxMemories:N0} memories are kept.");
        }

        return await Change(
            command, known, next with { Memories = known.Memories + made.Count }, "memory.added", "memories", made, Outcome<AddedMemories>.Created(all),
            batch => MemoryStore.Insert(batch, user.Tenant, user.Id, made));
    }

    public async Task<Outcome<UserMemoryView>> Update(Command command, Guid id, UserMemoryChange change)
    {
        if (user.Row is not { } known || await memories.Find(user.Tenant, user.Id, id) is not { } memory)
        {
            return NoMemory;
        }

        var changed = memory with { Content = change.Content.Over(memory.Content) ?? "", Source = change.Source.Over(memory.Source) };
        if ((command.Stale(memory.Version) ?? MemoryRules.Check(new NewUserMemory(null, changed.Content, changed.Source))) is { } refusal)
        {
            return refusal;
        }

        if (changed == memory)
        {
            return await user.Unchanged(command, known, memory);
        }

        var next = user.Next(known);
        changed = changed with
        {
            Tokens = TokenCount.Of(changed.Content),
            Version = memory.Version + 1,
            UpdatedAt = next.View.UpdatedAt,
        };
        return await Change(command, known, next, "memory.updated", "memory", changed, Outcome<UserMemoryView>.Done(changed), batch => MemoryStore.Update(batch, user.Tenant, changed));
    }

    public async Task<Outcome<Nothing>> Delete(Command command, Guid id)
    {
        if (user.Row is not { } known || await memories.Find(user.Tenant, user.Id, id) is not { } memory)
        {
            return NoMemory;
        }

        return command.Stale(memory.Version) is { } stale ? stale : await Change(
            command, known, user.Next(known) with { Memories = known.Memories - 1 }, "memory.deleted", "memoryId", id, Outcome<Nothing>.Deleted(),
            batch => MemoryStore.Delete(batch, user.Tenant, memory));
    }

    private async Task<Outcome<T>> Change<T>(
        Command command, UserRow known, UserRow next, string type, string part, object value, Outcome<T> outcome, Action<ScopedBatch> rows)
        where T : class
    {
        try
        {
            var done = await user.Change(command, known, next, type, part, value, outcome, rows);
            embedding.Hurry();
            return done;
        }
        catch (PostgresException e) when (e.IsUnique(MemoryStore.ContentKey))
        {
            return MemoryExists;
        }
    }
}
