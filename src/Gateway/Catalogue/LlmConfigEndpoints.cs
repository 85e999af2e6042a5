using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
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
        configs.MapPost("", Create).WithSummary("Makes an LLM config").Produces<LlmConfigView>(201).ProducesProblem(403).ProducesProblem(409);
        configs.MapGet("", List).WithSummary("Lists the global LLM configs and the caller's own");
        configs.MapGet("{id:guid}", Get).WithSummary("An LLM config").Produces<LlmConfigView>().ProducesProblem(404);
        configs.MapPatch("{id:guid}", Update).WithSummary("Changes an LLM config: absent keeps, null clears").Produces<LlmConfigView>().ProducesProblem(404);
        configs.MapDelete("{id:guid}", Delete).WithSummary("Deletes an LLM config that no personality has as its default").Produces(204).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> Create(HttpContext http, LlmConfigDraft body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<LlmConfigView>(http, acting!, body, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).CreateLlmConfig(command, body)))
                .ToResult(config => $"/v1/llm-configs/{config.Id}");
    }

    private static async Task<IResult> List(HttpContext http, ActingResolver who, LlmConfigStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.List(acting!.Tenant, acting.User, page.After, page.Limit + 1, http.RequestAborted), page.Limit, config => config.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).GetLlmConfig(id) is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("llm_config")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, LlmConfigChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<LlmConfigView>(http, acting!, body, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).UpdateLlmConfig(command, id, body)))
                .ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).DeleteLlmConfig(command, id))).ToResult();
    }
}
