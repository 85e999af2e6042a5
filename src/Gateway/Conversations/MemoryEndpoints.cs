using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Gateway.Conversations;

/// <param name="Personality">Which one recalls it: by id, slug or alias; every one where there is none.</param>
public sealed record UserMemoryBody(string? Personality, string? Content, string? Source);

public static class MemoryEndpoints
{
    private static readonly Refusal Unknown = Refusal.NotFound("memory");

    public static void MapMemories(this IEndpointRouteBuilder routes)
    {
        var memories = routes.MapGroup("/v1/memories").WithTags("Memories");
        memories.MapPost("", Create).WithSummary("Notes something of a user, for one personality or for all; the same once").Produces<UserMemoryView>(201).Produces<UserMemoryView>().ProducesProblem(409);
        memories.MapGet("", List).WithSummary("Lists the notes of a user, all or those with ?search= in them; of one personality with ?personality=").Produces<Page<UserMemoryView>>();
        memories.MapGet("{id:guid}", Get).WithSummary("A note").Produces<UserMemoryView>().ProducesProblem(404);
        memories.MapPatch("{id:guid}", Update).WithSummary("Changes a note: absent keeps, null clears").Produces<UserMemoryView>().ProducesProblem(404).ProducesProblem(409);
        memories.MapDelete("{id:guid}", Delete).WithSummary("Deletes a note").Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> Create(
        HttpContext http, string? user, UserMemoryBody body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        (var personality, refusal) = refusal is null ? await index.Named(acting!.Tenant, owner, body.Personality, http.RequestAborted) : (null, refusal);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var memory = new NewUserMemory(personality, body.Content ?? "", body.Source);
        var outcome = await commands.Run<AddedMemories>(http, acting!, body, command => Owner(grains, acting!, owner).AddMemories(command, [memory]));
        return (outcome.Value is { } added
            ? new Outcome<UserMemoryView>(outcome.Kind, added.Memories[0], null, outcome.At)
            : outcome.Refusal!).ToResult(made => $"/v1/memories/{made.Id}");
    }

    private static async Task<IResult> List(
        HttpContext http, string? user, string? personality, string? search, ActingResolver who, PersonalityIndex index, MemoryStore store)
    {
        var (page, invalid) = PageQuery.Read(http, search);
        var (acting, owner, refusal) = await who.ActFor(http, user);
        (var of, refusal) = (refusal ??= invalid) is null ? await index.Named(acting!.Tenant, owner, personality, http.RequestAborted) : (null, refusal);
        return refusal is not null
            ? refusal.ToResult()
            : Answers.Page(await store.List(acting!.Tenant, owner, of, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, memory => memory.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, string? user, ActingResolver who, MemoryStore store)
    {
        var (acting, refusal) = await who.Resolve(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        (var owner, refusal) = await FindOwner(http, acting!, id, who, store);
        return refusal is null && await store.Find(acting!.Tenant, owner, id, http.RequestAborted) is { } memory
            ? Answers.Entity(memory)
            : (refusal ?? Unknown).ToResult();
    }

    private static Task<IResult> Update(HttpContext http, Guid id, string? user, UserMemoryChange body, ActingResolver who, MemoryStore store, Commands commands, IGrainFactory grains) =>
        Run<UserMemoryView>(http, id, user, body, who, store, commands, (acting, owner, command) => Owner(grains, acting, owner).UpdateMemory(command, id, body));

    private static Task<IResult> Delete(HttpContext http, Guid id, string? user, ActingResolver who, MemoryStore store, Commands commands, IGrainFactory grains) =>
        Run<Nothing>(http, id, user, null, who, store, commands, (acting, owner, command) => Owner(grains, acting, owner).DeleteMemory(command, id));

    private static async Task<IResult> Run<T>(
        HttpContext http, Guid id, string? user, object? body, ActingResolver who, MemoryStore store, Commands commands, Func<Acting, Guid, Command, Task<Outcome<T>>> call)
        where T : class => (await commands.RunOwned(http, user, body, who, acting => FindOwner(http, acting, id, who, store), call)).ToResult();

    private static ValueTask<(Guid Owner, Refusal? Refusal)> FindOwner(HttpContext http, Acting acting, Guid id, ActingResolver who, MemoryStore store) =>
        who.OwnerOf(acting, () => store.FindOwner(acting.Tenant, id, http.RequestAborted), Unknown);

    private static IUserGrain Owner(IGrainFactory grains, Acting acting, Guid owner) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, owner));
}
