using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Gateway.Personalities;

public sealed record DefaultLlmConfigBody(Guid? LlmConfigId);

public sealed record OwnerBody(PersonalityRole? Role);

/// <summary>A personality in a list: its card, and what the caller is to it.</summary>
public sealed record PersonalityCard(
    Guid Id, string Name, string Slug, string DisplayName, string? AvatarUrl, IReadOnlyList<string> Tags, bool IsPublic, bool DefinitionPublic,
    PersonalityRole? Role, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public static class PersonalityEndpoints
{
    private static readonly Refusal NotFound = Refusal.NotFound("personality");

    public static void MapPersonalities(this IEndpointRouteBuilder routes)
    {
        var all = routes.MapGroup("/v1/personalities").WithTags("Personalities");
        all.MapPost("", Create).WithSummary("Makes a personality, owned by the user who acts").Produces<PersonalityView>(201).ProducesProblem(409);
        all.MapGet("", List).WithSummary("Lists the personalities that the caller may use: ?search= in names, ?tag=").Produces<Page<PersonalityCard>>().ProducesProblem(400);
        var one = all.MapGroup("{personality}");
        one.MapGet("", Get).WithSummary("A personality by id, slug or alias; its inside only for who may see it").Produces<PersonalityView>().ProducesProblem(404);
        one.MapPatch("", Update).WithSummary("Changes a personality: absent keeps, null clears").Produces<PersonalityView>().ProducesProblem(404).ProducesProblem(409);
        one.MapDelete("", Delete).WithSummary("Deletes a personality").Produces(204).ProducesProblem(404);
        one.MapPatch("settings", ChangeSettings).WithSummary("Changes the personality's tier of behaviour settings").Produces<PersonalityView>().ProducesProblem(404);
        one.MapPut("default-llm-config", SetDefault).WithSummary("Sets the default LLM config").Produces<PersonalityView>().ProducesProblem(404);
        one.MapDelete("default-llm-config", RemoveDefault).WithSummary("Removes the default LLM config").Produces<PersonalityView>().ProducesProblem(404);
        one.MapGet("owners", ListOwners).WithSummary("Lists who has a role").Produces<Page<PersonalityOwner>>().ProducesProblem(404);
        one.MapGet("owners/{user}", GetOwner).WithSummary("The role of a user").Produces<PersonalityOwner>().ProducesProblem(404);
        one.MapPut("owners/{user}", SetOwner).WithSummary("Gives a user a role: viewer, editor or owner").Produces<PersonalityOwner>().ProducesProblem(403).ProducesProblem(409);
        one.MapDelete("owners/{user}", RemoveOwner).WithSummary("Takes a user's role; the last owner can't leave").Produces(204).ProducesProblem(409);
        one.MapGet("aliases", ListAliases).WithSummary("The tenant's aliases and the caller's own").Produces<Page<PersonalityAlias>>().ProducesProblem(404);
        one.MapPut("aliases/{alias}", SetAlias).WithSummary("Adds an alias of the tenant, or with ?personal=true of the user who acts").Produces<PersonalityAlias>().ProducesProblem(409);
        one.MapDelete("aliases/{alias}", RemoveAlias).WithSummary("Removes an alias").Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> Create(HttpContext http, PersonalityDraft body, ActingResolver who, Commands commands, IGrainFactory grains, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var id = Guid.CreateVersion7(time.GetUtcNow());
        return (await commands.Run<PersonalityView>(http, acting!, body, command => Grain(grains, acting!, id).Create(command, body)))
            .ToResult(personality => $"/v1/personalities/{personality.Slug}");
    }

    private static async Task<IResult> List(HttpContext http, string? search, string? tag, ActingResolver who, PersonalityStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http, search);
        invalid ??= tag?.Contains('\0') is true ? Refusal.Invalid("tag", "'tag' is a tag.") : null;
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var scope = acting!.Actor.IsAdmin ? RowScope.OfTenant(acting.Tenant) : new RowScope(acting.Tenant, acting.User, null);
        var found = await store.List(scope, page.After, tag, page.Search, page.Limit + 1, http.RequestAborted);
        return Answers.Page(found.ConvertAll(p => new PersonalityCard(
            p.Id, p.Name, p.Slug, p.DisplayName, p.AvatarUrl, p.Tags, p.IsPublic, p.DefinitionPublic, p.RoleOf(acting.User), p.Version, p.CreatedAt, p.UpdatedAt)),
            page.Limit, card => card.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, string personality, ActingResolver who, PersonalityIndex index, IGrainFactory grains)
    {
        var (_, read, refusal) = await Find(http, personality, who, index, grains);
        return refusal is not null ? refusal.ToResult() : read!.ToResult();
    }

    private static Task<IResult> Update(HttpContext http, string personality, PersonalityChange body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<PersonalityView>(http, personality, body, who, index, commands, grains, (grain, command) => grain.Update(command, body));

    private static Task<IResult> Delete(HttpContext http, string personality, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<Nothing>(http, personality, null, who, index, commands, grains, (grain, command) => grain.Delete(command));

    private static Task<IResult> ChangeSettings(HttpContext http, string personality, SettingsChange body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<PersonalityView>(http, personality, body, who, index, commands, grains, (grain, command) => grain.ChangeSettings(command, body));

    private static Task<IResult> SetDefault(HttpContext http, string personality, DefaultLlmConfigBody body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        body.LlmConfigId is { } config
            ? Run<PersonalityView>(http, personality, body, who, index, commands, grains, (grain, command) => grain.SetDefaultLlmConfig(command, config))
            : Task.FromResult(Refusal.Invalid("llmConfigId", "Name the LLM config; DELETE removes it.").ToResult());

    private static Task<IResult> RemoveDefault(HttpContext http, string personality, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<PersonalityView>(http, personality, null, who, index, commands, grains, (grain, command) => grain.SetDefaultLlmConfig(command, null));

    /// <summary>Who has a role is part of a personality's inside: it is told to those who see that.</summary>
    private static async Task<IResult> ListOwners(HttpContext http, string personality, ActingResolver who, PersonalityIndex index, IGrainFactory grains)
    {
        var (_, read, refusal) = await Find(http, personality, who, index, grains);
        return refusal is not null ? refusal.ToResult() : Answers.Page(http, read!.Value.Owners, owner => owner.UserId.ToString());
    }

    private static async Task<IResult> GetOwner(HttpContext http, string personality, string user, ActingResolver who, PersonalityIndex index, IGrainFactory grains)
    {
        var (acting, read, refusal) = await Find(http, personality, who, index, grains);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var id = await who.FindUser(acting!.Tenant, user, http.RequestAborted);
        return read!.Value.Owners.FirstOrDefault(owner => owner.UserId == id) is { } found ? Answers.Entity(found) : Refusal.NotFound("owner").ToResult();
    }

    private static async Task<IResult> SetOwner(HttpContext http, string personality, string user, OwnerBody body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains)
    {
        if (body.Role is not { } role)
        {
            return Refusal.Invalid("role", "'role' is one of viewer, editor, owner.").ToResult();
        }

        return await WithUser(http, user, who) is { } id
            ? await Run<PersonalityOwner>(http, personality, body, who, index, commands, grains, (grain, command) => grain.SetOwner(command, id, role))
            : Refusal.NotFound("user").ToResult();
    }

    private static async Task<IResult> RemoveOwner(HttpContext http, string personality, string user, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        await WithUser(http, user, who) is { } id
            ? await Run<Nothing>(http, personality, null, who, index, commands, grains, (grain, command) => grain.RemoveOwner(command, id))
            : Refusal.NotFound("owner").ToResult();

    private static async Task<Guid?> WithUser(HttpContext http, string user, ActingResolver who) =>
        await who.Resolve(http) is ({ } acting, _) ? await who.FindUser(acting.Tenant, user, http.RequestAborted) : null;

    private static async Task<IResult> ListAliases(HttpContext http, string personality, ActingResolver who, PersonalityIndex index, PersonalityStore store, IGrainFactory grains)
    {
        var (acting, read, refusal) = await Find(http, personality, who, index, grains);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var own = acting!.User is { } user ? await store.PersonalAliases(acting.Tenant, read!.Value.Id, user, http.RequestAborted) : [];
        return Answers.Page(http, read!.Value.Aliases.Concat(own), alias => $"{(alias.UserId is null ? "tenant" : "user")}:{alias.Alias}");
    }

    private static Task<IResult> SetAlias(HttpContext http, string personality, string alias, bool? personal, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<PersonalityAlias>(http, personality, null, who, index, commands, grains, (grain, command) => grain.SetAlias(command, alias, personal is true));

    private static Task<IResult> RemoveAlias(HttpContext http, string personality, string alias, bool? personal, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<Nothing>(http, personality, null, who, index, commands, grains, (grain, command) => grain.RemoveAlias(command, alias, personal is true));

    private static async Task<IResult> Run<T>(
        HttpContext http, string personality, object? body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains,
        Func<IPersonalityGrain, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        return (await commands.Run<T>(http, acting!, body, async command =>
        {
            var (id, _) = await Locate(acting!, personality, index, grains, http.RequestAborted);
            return id is { } found ? await call(Grain(grains, acting!, found), command) : NotFound;
        })).ToResult();
    }

    /// <summary>The personality that an address means, as the caller may see it. Someone else's private one is not found.</summary>
    public static async Task<(Acting? Acting, Read<PersonalityView>? Read, Refusal? Refusal)> Find(
        HttpContext http, string personality, ActingResolver who, PersonalityIndex index, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return (null, null, refusal);
        }

        return (await Locate(acting!, personality, index, grains, http.RequestAborted)).Read is { } read ? (acting, read, null) : (acting, null, NotFound);
    }

    private static async Task<(Guid? Id, Read<PersonalityView>? Read)> Locate(
        Acting acting, string personality, PersonalityIndex index, IGrainFactory grains, CancellationToken cancel) =>
        await index.Find(acting.Tenant, acting.User, personality, cancel) is { } id ? (id, await Grain(grains, acting, id).Get(acting.Actor)) : (null, null);

    private static IPersonalityGrain Grain(IGrainFactory grains, Acting acting, Guid id) => grains.Of<IPersonalityGrain>(new TenantScopedKey(acting.Tenant, id));
}
