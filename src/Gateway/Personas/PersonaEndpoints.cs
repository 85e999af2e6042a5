using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Gateway.Personas;

public static class PersonaEndpoints
{
    private static readonly Refusal Unknown = Refusal.NotFound("persona");

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
        var (acting, owner, refusal) = await who.ActFor(http, user);
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

        var (acting, owner, refusal) = await who.ActFor(http, user);
        return refusal is null && await Owner(grains, acting!, owner).Get() is not null
            ? Answers.Page(await store.List(acting!.Tenant, owner, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, persona => persona.Id.ToString())
            : (refusal ?? Refusal.NotFound("user")).ToResult();
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, string? user, ActingResolver who, PersonaStore store, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        (var owner, refusal) = await FindOwner(http, acting!, id, who, store);
        return refusal is null && await Persona(grains, acting!, owner, id).Get() is { } read
            ? read.ToResult()
            : (refusal ?? Unknown).ToResult();
    }

    private static Task<IResult> Update(
        HttpContext http, Guid id, string? user, PersonaChange body, ActingResolver who, PersonaStore store, Commands commands, IGrainFactory grains) =>
        Run<PersonaView>(http, id, user, body, who, store, commands, (acting, owner, command) => Persona(grains, acting, owner, id).Update(command, body));

    private static Task<IResult> Delete(HttpContext http, Guid id, string? user, ActingResolver who, PersonaStore store, Commands commands, IGrainFactory grains) =>
        Run<Nothing>(http, id, user, null, who, store, commands, (acting, owner, command) => Owner(grains, acting, owner).DeletePersona(command, id));

    private static async Task<IResult> Run<T>(
        HttpContext http, Guid id, string? user, object? body, ActingResolver who, PersonaStore store, Commands commands, Func<Acting, Guid, Command, Task<Outcome<T>>> call)
        where T : class => (await commands.RunOwned(http, user, body, who, acting => FindOwner(http, acting, id, who, store), call)).ToResult();

    private static ValueTask<(Guid Owner, Refusal? Refusal)> FindOwner(HttpContext http, Acting acting, Guid id, ActingResolver who, PersonaStore store) =>
        who.OwnerOf(acting, () => store.FindOwner(acting.Tenant, id, http.RequestAborted), Unknown);

    private static IUserGrain Owner(IGrainFactory grains, Acting acting, Guid owner) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, owner));

    private static IPersonaGrain Persona(IGrainFactory grains, Acting acting, Guid owner, Guid id) =>
        grains.Of<IPersonaGrain>(new OwnedKey(acting.Tenant, owner, id));
}
