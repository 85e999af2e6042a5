using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Users;

/// <summary>What a user wants otherwise: with one personality, named by id, slug or alias, and with all of them.</summary>
public static class OverrideEndpoints
{
    private static readonly Refusal NoPersonality = Refusal.NotFound("personality");

    public static void MapOverrides(this IEndpointRouteBuilder routes)
    {
        var user = routes.MapGroup("/v1/users/{id}").WithTags("Users");
        user.MapPatch("settings", ChangeSettings).WithSummary("Changes the user's tier of behaviour settings").Produces<UserView>().ProducesProblem(400).ProducesProblem(404);
        user.MapPut("default-llm-config", SetDefault).WithSummary("Sets the user's default LLM config").Produces<UserView>().ProducesProblem(404);
        user.MapDelete("default-llm-config", RemoveDefault).WithSummary("Removes the user's default LLM config").Produces<UserView>().ProducesProblem(404);
        user.MapGet("overrides", List).WithSummary("Lists what the user wants otherwise, by personality").Produces<Page<OverrideView>>().ProducesProblem(404);
        user.MapGet("overrides/{personality}", Get).WithSummary("What the user wants otherwise with a personality").Produces<OverrideView>().ProducesProblem(404);
        user.MapPut("overrides/{personality}", Set).WithSummary("Puts persona and LLM config for a personality; a slot that isn't named is empty").Produces<OverrideView>().ProducesProblem(404);
        user.MapPatch("overrides/{personality}/settings", ChangeOverrideSettings).WithSummary("Changes the tier of user and personality").Produces<OverrideView>().ProducesProblem(400);
        user.MapDelete("overrides/{personality}", Delete).WithSummary("Removes all that the user wants otherwise with a personality").Produces(204).ProducesProblem(404);
    }

    private static Task<IResult> ChangeSettings(HttpContext http, string id, SettingsChange body, ActingResolver who, Commands commands, IGrainFactory grains) =>
        Run<UserView>(http, id, body, who, commands, grains, (user, command) => user.ChangeSettings(command, body));

    private static Task<IResult> SetDefault(HttpContext http, string id, DefaultLlmConfigBody body, ActingResolver who, Commands commands, IGrainFactory grains) =>
        body.LlmConfigId is { } config
            ? Run<UserView>(http, id, body, who, commands, grains, (user, command) => user.SetDefaultLlmConfig(command, config))
            : Task.FromResult(Refusal.Invalid("llmConfigId", "Name the LLM config; DELETE removes it.").ToResult());

    private static Task<IResult> RemoveDefault(HttpContext http, string id, ActingResolver who, Commands commands, IGrainFactory grains) =>
        Run<UserView>(http, id, null, who, commands, grains, (user, command) => user.SetDefaultLlmConfig(command, null));

    private static async Task<IResult> List(HttpContext http, string id, ActingResolver who, OverrideStore store, IGrainFactory grains)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        var (page, invalid) = PageQuery.Read(http);
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        return await Grain(grains, acting!, user).Get() is null
            ? Refusal.NotFound("user").ToResult()
            : Answers.Page(await store.List(acting!.Tenant, user, page.After, page.Limit + 1, http.RequestAborted), page.Limit, view => view.PersonalityId.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, string id, string personality, ActingResolver who, PersonalityIndex index, IGrainFactory grains)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        return await index.Find(acting!.Tenant, user, personality, http.RequestAborted) is not { } found
            ? NoPersonality.ToResult()
            : await Grain(grains, acting, user).GetOverride(found) is { } read ? read.ToResult() : Refusal.NotFound("override").ToResult();
    }

    private static Task<IResult> Set(HttpContext http, string id, string personality, OverrideSlots body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<OverrideView>(http, id, personality, body, who, index, commands, grains, (user, found, command) => user.SetOverride(command, found, body));

    private static Task<IResult> ChangeOverrideSettings(
        HttpContext http, string id, string personality, SettingsChange body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<OverrideView>(http, id, personality, body, who, index, commands, grains, (user, found, command) => user.ChangeOverrideSettings(command, found, body));

    private static Task<IResult> Delete(HttpContext http, string id, string personality, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains) =>
        Run<Nothing>(http, id, personality, null, who, index, commands, grains, (user, found, command) => user.DeleteOverride(command, found));

    private static async Task<IResult> Run<T>(
        HttpContext http, string id, object? body, ActingResolver who, Commands commands, IGrainFactory grains, Func<IUserGrain, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, user, refusal) = await who.Account(http, id);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<T>(http, acting!, body, command => call(Grain(grains, acting!, user), command))).ToResult();
    }

    private static async Task<IResult> Run<T>(
        HttpContext http, string id, string personality, object? body, ActingResolver who, PersonalityIndex index, Commands commands, IGrainFactory grains,
        Func<IUserGrain, Guid, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, user, refusal) = await who.Account(http, id);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<T>(http, acting!, body, async command => await index.Find(acting!.Tenant, user, personality, http.RequestAborted) is { } found
                ? await call(Grain(grains, acting, user), found, command)
                : NoPersonality)).ToResult();
    }

    private static IUserGrain Grain(IGrainFactory grains, Acting acting, Guid user) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, user));
}
