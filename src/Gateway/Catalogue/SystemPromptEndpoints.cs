using PersonaActors.Contracts.Catalogue;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Gateway.Catalogue;

/// <summary>The tenant's system prompts, and the catalogue as a whole.</summary>
public static class SystemPromptEndpoints
{
    public static void MapSystemPrompts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/catalogue", GetCatalogue).WithTags("Catalogue").WithSummary("System prompts, global LLM configs and focus modes of the tenant, as its stream's events change them")
            .WithMetadata(new TellsCursor()).Produces<CatalogueView>();

        var prompts = routes.MapGroup("/v1/system-prompts").WithTags("System prompts");
        prompts.MapPost("", Create).WithSummary("Makes a system prompt").Produces<SystemPromptView>(201).ProducesProblem(403);
        prompts.MapGet("", List).WithSummary("Lists system prompts, all or those with ?search= in their name").Produces<Page<SystemPromptView>>();
        prompts.MapGet("{id:guid}", Get).WithSummary("A system prompt").Produces<SystemPromptView>().ProducesProblem(404);
        prompts.MapPatch("{id:guid}", Update).WithSummary("Changes a system prompt: absent keeps, null clears").Produces<SystemPromptView>().ProducesProblem(404);
        prompts.MapDelete("{id:guid}", Delete).WithSummary("Deletes a system prompt; personalities that use it fall back to the tenant's default").Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> GetCatalogue(HttpContext http, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null ? refusal.ToResult() : (await grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).Get()).ToResult();
    }

    private static async Task<IResult> Create(HttpContext http, SystemPromptDraft body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<SystemPromptView>(http, acting!, body, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).CreateSystemPrompt(command, body)))
                .ToResult(prompt => $"/v1/system-prompts/{prompt.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? search, ActingResolver who, CatalogueStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http, search);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.ListPrompts(acting!.Tenant, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, prompt => prompt.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).GetSystemPrompt(id) is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("system_prompt")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, SystemPromptChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<SystemPromptView>(http, acting!, body, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).UpdateSystemPrompt(command, id, body)))
                .ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => grains.Of<ICatalogueGrain>(new TenantKey(acting!.Tenant)).DeleteSystemPrompt(command, id))).ToResult();
    }
}
