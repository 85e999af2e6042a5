using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Users;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Gateway.Personas;

public static class PersonaEndpoints
{
    public static void MapPersonas(this IEndpointRouteBuilder routes)
    {
        var personas = routes.MapGroup("/v1/personas").WithTags("Personas");
        personas.MapPost("", Create).WithSummary("Makes a persona of the user").Produces<PersonaView>(201).ProducesProblem(400).ProducesProblem(409);
        personas.MapGet("", List).WithSummary("Lists the personas of a user, all or those with ?search= in their name").Produces<Page<PersonaView>>();
        personas.MapGet("{id:guid}", Get).WithSummary("A persona").Produces<PersonaView>().ProducesProblem(404);
        personas.MapPatch("{id:guid}", Update).WithSummary("Changes a persona: absent keeps, null clears").Produces<PersonaView>().ProducesProblem(404).ProducesProblem(409);
        personas.MapDelete("{id:guid}", Delete).WithSummary("Deletes a persona that isn't the default; overrides that use it fall back").Produces(204).ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> Create(HttpContext http, string? user, PersonaDraft body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, owner, refusal) = await UserEndpoints.FindNamed(http, user, who);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<PersonaView>(http, acting!, body, command => Owner(grains, acting!, owner).CreatePersona(command, body)))
                .ToResult(persona => $"/v1/personas/{persona.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? user, string? search, ActingResolver who, PersonaStore store, IGrainFactory grains)
    {
        var (page, invalid) = PageQuery.Read(http, search);
        if (invalid is not null)
        {
            return invalid.ToResult();
        }

        var (acting, owner, refusal) = await UserEndpoints.FindNamed(http, user, who);
        return refusal is null && await Owner(grains, acting!, owner).Get() is not null
            ? Answers.Page(await store.List(acting!.Tenant, owner, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, persona => persona.Id.ToString())
            : (refusal ?? Refusal.NotFound("user")).ToResult();
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, PersonaStore store, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await FindOwner(acting!, id, store, http) is { } owner && await Persona(grains, acting!, owner, id).Get() is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("persona")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, PersonaChange body, ActingResolver who, PersonaStore store, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<PersonaView>(http, acting!, body, async command => await FindOwner(acting!, id, store, http) is { } owner
                ? await Persona(grains, acting!, owner, id).Update(command, body)
                : Refusal.NotFound("persona"))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, ActingResolver who, PersonaStore store, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, async command => await FindOwner(acting!, id, store, http) is { } owner
                ? await Owner(grains, acting!, owner).DeletePersona(command, id)
                : Refusal.NotFound("persona"))).ToResult();
    }

    /// <summary>Whose persona the path names: the user's that the caller acts for, or, where it acts for none, whoever's it is.</summary>
    private static async ValueTask<Guid?> FindOwner(Acting acting, Guid id, PersonaStore store, HttpContext http) =>
        acting.User ?? await store.FindOwner(acting.Tenant, id, http.RequestAborted);

    private static IUserGrain Owner(IGrainFactory grains, Acting acting, Guid owner) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, owner));

    private static IPersonaGrain Persona(IGrainFactory grains, Acting acting, Guid owner, Guid id) =>
        grains.Of<IPersonaGrain>(new OwnedKey(acting.Tenant, owner, id));
}
