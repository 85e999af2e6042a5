using System.Globalization;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.UserPersonas;

namespace PersonaActors.Gateway.UserPersonas;

public static class UserPersonaEndpoints
{
    private static readonly Refusal Unknown = Refusal.NotFound("user_persona");

    public static void MapUserPersonas(this IEndpointRouteBuilder routes)
    {
        var personas = routes.MapGroup("/v1/user-personas").WithTags("User personas");
        personas.MapPost("", Create).WithSummary("Makes a user persona").Produces<UserPersonaView>(201).ProducesProblem(400);
        personas.MapGet("", List).WithSummary("Lists the user's own and the tenant's public user personas, most used first, all or those with ?search= in their name").Produces<Page<UserPersonaView>>();
        personas.MapGet("{id:guid}", Get).WithSummary("A user persona").Produces<UserPersonaView>().ProducesProblem(404);
        personas.MapPatch("{id:guid}", Update).WithSummary("Changes a user persona: absent keeps, null clears").Produces<UserPersonaView>().ProducesProblem(403).ProducesProblem(404);
        personas.MapDelete("{id:guid}", Delete).WithSummary("Deletes a user persona").Produces(204).ProducesProblem(403).ProducesProblem(404);
        personas.MapPost("{id:guid}/duplicate", Duplicate).WithSummary("Makes a private copy of the user's own").Produces<UserPersonaView>(201).ProducesProblem(404);
        personas.MapPost("{id:guid}/usage", Use).WithSummary("Logs a use and counts it").Produces<UserPersonaUsage>(201).ProducesProblem(404);
        personas.MapGet("{id:guid}/stats", Stats).WithSummary("Uses, tokens, first and last use").Produces<UserPersonaStats>().ProducesProblem(404);
    }

    private static async Task<IResult> Create(HttpContext http, string? user, UserPersonaDraft body, ActingResolver who, Commands commands, IGrainFactory grains, Clock time)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var id = Guid.CreateVersion7(time.GetUtcNow());
        return (await commands.Run<UserPersonaView>(http, acting!, body, command => Grain(grains, acting!, id).Create(command, owner, body))).ToResult(Location);
    }

    private static async Task<IResult> List(HttpContext http, string? user, string? search, ActingResolver who, UserPersonaStore store, IGrainFactory grains)
    {
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var readable = TryReadAfter(http, out var count, out var after);
        if ((invalid ?? (readable ? PageQuery.CheckSearch(search) : PageQuery.BadAfter)) is { } no)
        {
            return no.ToResult();
        }

        var (acting, owner, refusal) = await who.ActFor(http, user);
        return refusal is null && await grains.Of<IUserGrain>(new TenantScopedKey(acting!.Tenant, owner)).Get() is not null
            ? Answers.Page(await store.List(acting.Tenant, owner, count, after, PageQuery.Trimmed(search), limit + 1, http.RequestAborted), limit,
                persona => string.Create(CultureInfo.InvariantCulture, $"{persona.UsageCount}:{persona.Id}"))
            : (refusal ?? Refusal.NotFound("user")).ToResult();
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, string? user, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http, user);
        return refusal is null && await Grain(grains, acting!, id).Get() is { } read && await MaySee(who, acting!, read.Value)
            ? read.ToResult()
            : (refusal ?? Unknown).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, string? user, UserPersonaChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<UserPersonaView>(http, acting!, body, command => Grain(grains, acting!, id).Update(command, owner, body))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, string? user, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => Grain(grains, acting!, id).Delete(command, owner))).ToResult();
    }

    private static async Task<IResult> Duplicate(HttpContext http, Guid id, string? user, ActingResolver who, Commands commands, IGrainFactory grains, Clock time)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var copy = Guid.CreateVersion7(time.GetUtcNow());
        return (await commands.Run<UserPersonaView>(http, acting!, null, command => Grain(grains, acting!, copy).CreateCopy(command, owner, id))).ToResult(Location);
    }

    private static async Task<IResult> Use(HttpContext http, Guid id, string? user, UserPersonaUse body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<UserPersonaUsage>(http, acting!, body, command => Grain(grains, acting!, id).Use(command, owner, body))).ToResult();
    }

    private static async Task<IResult> Stats(HttpContext http, Guid id, string? user, ActingResolver who, IGrainFactory grains, UserPersonaStore store)
    {
        var (acting, refusal) = await who.Resolve(http, user);
        return refusal is null && (await Grain(grains, acting!, id).Get())?.Value is { } persona && await MaySee(who, acting!, persona)
               && await store.Stats(acting!.Tenant, id, http.RequestAborted) is { } stats
            ? Results.Json(stats, Wire.Json)
            : (refusal ?? Unknown).ToResult();
    }

    /// <summary>What is public all of the tenant see, the rest who may act for its owner.</summary>
    public static async ValueTask<bool> MaySee(ActingResolver who, Acting acting, UserPersonaView persona) => persona.IsPublic || await who.MayActFor(acting, persona.OwnerId);

    /// <summary>The list's order is a count and an id, and so is its cursor: <c>12:0193…</c>.</summary>
    private static bool TryReadAfter(HttpContext http, out long count, out Guid after)
    {
        (count, after) = (long.MaxValue, Guid.Empty);
        if (!http.Request.Query.TryGetValue("after", out var text))
        {
            return true;
        }

        var cursor = text.ToString();
        var colon = cursor.IndexOf(':');
        return colon > 0
            && long.TryParse(cursor.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out count)
            && Guid.TryParse(cursor.AsSpan(colon + 1), out after);
    }

    private static string Location(UserPersonaView persona) => $"/v1/user-personas/{persona.Id}";

    private static IUserPersonaGrain Grain(IGrainFactory grains, Acting acting, Guid id) => grains.Of<IUserPersonaGrain>(new TenantScopedKey(acting.Tenant, id));
}
