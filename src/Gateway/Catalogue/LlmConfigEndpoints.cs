using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Gateway.Catalogue;

/// <summary>LLM configs: the tenant's global ones, which everybody may use, beside the caller's own.</summary>
public static class LlmConfigEndpoints
{
    public static void MapLlmConfigs(this IEndpointRouteBuilder routes)
    {
        var configs = routes.MapGroup("/v1/llm-configs").WithTags("LLM configs");
        configs.MapPost("", Create).WithSummary("Makes an LLM config: the user's own where the caller acts for one, otherwise one of the tenant").Produces<LlmConfigView>(201).ProducesProblem(403).ProducesProblem(409);
        configs.MapGet("", List).WithSummary("Lists the global LLM configs and the caller's own, all or those with ?search= in their name").Produces<Page<LlmConfigView>>();
        configs.MapGet("{id:guid}", Get).WithSummary("An LLM config").Produces<LlmConfigView>().ProducesProblem(404);
        configs.MapPatch("{id:guid}", Update).WithSummary("Changes an LLM config: absent keeps, null clears").Produces<LlmConfigView>().ProducesProblem(404);
        configs.MapDelete("{id:guid}", Delete).WithSummary("Deletes an LLM config that no personality has as its default").Produces(204).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> Create(HttpContext http, LlmConfigDraft body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<LlmConfigView>(http, acting!, body, command => acting!.User is { } owner
                ? Owner(grains, acting, owner).CreateLlmConfig(command, body)
                : Catalogue(grains, acting).CreateLlmConfig(command, body))).ToResult(config => $"/v1/llm-configs/{config.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? search, ActingResolver who, LlmConfigStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http, search);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.List(acting!.Tenant, acting.User, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, config => config.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, LlmConfigStore store, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var read = await FindOwner(http, acting!, id, who, store, grains) is { } owner
            ? await Owner(grains, acting!, owner).GetLlmConfig(id)
            : await Catalogue(grains, acting!).GetLlmConfig(id);
        return read is null ? Refusal.NotFound("llm_config").ToResult() : read.ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, LlmConfigChange body, ActingResolver who, LlmConfigStore store, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<LlmConfigView>(http, acting!, body, async command => await FindOwner(http, acting!, id, who, store, grains) is { } owner
                ? await Owner(grains, acting!, owner).UpdateLlmConfig(command, id, body)
                : await Catalogue(grains, acting!).UpdateLlmConfig(command, id, body))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, ActingResolver who, LlmConfigStore store, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, async command => await FindOwner(http, acting!, id, who, store, grains) is { } owner
                ? await Owner(grains, acting!, owner).DeleteLlmConfig(command, id)
                : await Catalogue(grains, acting!).DeleteLlmConfig(command, id))).ToResult();
    }

    /// <summary>
    /// Whose config it is: the user's that the caller acts for, or, where it acts for none, whoever's it is that it may act for.
    /// Nobody's are the tenant's; somebody else's the tenant's catalogue doesn't know either.
    /// </summary>
    private static async ValueTask<Guid?> FindOwner(
        HttpContext http, Acting acting, Guid id, ActingResolver who, LlmConfigStore store, IGrainFactory grains)
    {
        if (acting.User is { } user)
        {
            return await Owner(grains, acting, user).GetLlmConfig(id) is null ? null : user;
        }

        return (await store.FindOwner(acting.Tenant, id, http.RequestAborted)).Owner is { } owner && await who.Check(acting, owner) is null ? owner : null;
    }

    private static IUserGrain Owner(IGrainFactory grains, Acting acting, Guid owner) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, owner));

    private static ICatalogueGrain Catalogue(IGrainFactory grains, Acting acting) => grains.Of<ICatalogueGrain>(new TenantKey(acting.Tenant));
}
