using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Gateway.Catalogue;

/// <summary>
/// Focus modes: the system's, which all tenants see and operators write, and the tenant's own. An operator that names no
/// tenant speaks of the system's.
/// </summary>
public static class FocusModeEndpoints
{
    public static void MapFocusModes(this IEndpointRouteBuilder routes)
    {
        var modes = routes.MapGroup("/v1/focus-modes").WithTags("Focus modes");
        modes.MapPost("", Create).WithSummary("Makes a focus mode of the tenant; an operator, with isSystem, one of the system").Produces<FocusModeView>(201)
            .ProducesProblem(403).ProducesProblem(409);
        modes.MapGet("", List).WithQuery("inactive", typeof(bool), "Those that are switched off too.").WithSummary("Lists focus modes: the system's first, then by name; inactive ones only for who may change them, with ?inactive=true; all or those with ?search= in their name").Produces<Page<FocusModeView>>();
        modes.MapGet("{id:guid}", Get).WithSummary("A focus mode").Produces<FocusModeView>().ProducesProblem(404);
        modes.MapPatch("{id:guid}", Update).WithSummary("Changes a focus mode: absent keeps, null clears").Produces<FocusModeView>().ProducesProblem(404);
        modes.MapDelete("{id:guid}", Delete).WithSummary("Deletes a focus mode").Produces(204).ProducesProblem(404);
    }

    /// <summary>Whose modes a request is about: a tenant's with the system's, or the system's alone.</summary>
    private static async ValueTask<(Guid? Tenant, Caller Caller, Actor Actor, Refusal? Refusal)> Resolve(HttpContext http, ActingResolver who)
    {
        var caller = http.Caller();
        if (caller.Kind == ApiKeyKind.Operator && !http.Request.Headers.ContainsKey(ActingResolver.TenantHeader))
        {
            return (null, caller, new Actor(ActorKind.Operator, null), null);
        }

        var (acting, refusal) = await who.Resolve(http);
        return (acting?.Tenant, caller, acting?.Actor ?? new Actor(ActorKind.User, null), refusal);
    }

    private static ICatalogueGrain Catalogue(IGrainFactory grains, Guid? tenant) =>
        grains.Of<ICatalogueGrain>(tenant is { } id ? new TenantKey(id) : TenantKey.System);

    /// <summary>A mode of the tenant or of the system, and whose it is. An inactive one is only there for who may change it.</summary>
    private static async Task<(Guid? Tenant, Read<FocusModeView>? Read)> Find(Guid? tenant, Actor actor, Guid id, IGrainFactory grains)
    {
        if (tenant is not null && await Catalogue(grains, tenant).GetFocusMode(id) is { } own)
        {
            return (tenant, own.Value.IsActive || actor.ActsForTenant ? own : null);
        }

        var system = await Catalogue(grains, null).GetFocusMode(id);
        return (null, system is { Value.IsActive: true } || actor.IsOperator ? system : null);
    }

    private static async Task<IResult> Create(HttpContext http, FocusModeDraft body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (tenant, caller, actor, refusal) = await Resolve(http, who);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var whose = body.IsSystem is true && actor.IsOperator ? null : tenant;
        return (await commands.Run<FocusModeView>(http, whose, caller.KeyId, actor, body, command => Catalogue(grains, whose).CreateFocusMode(command, body)))
            .ToResult(mode => $"/v1/focus-modes/{mode.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? search, ActingResolver who, CatalogueStore store)
    {
        var (tenant, _, actor, refusal) = await Resolve(http, who);
        var (page, after, invalid) = ReadPage(http, search);
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var inactiveToo = actor.ActsForTenant && http.Request.Query["inactive"] == "true";
        var modes = await store.ListModes(tenant, inactiveToo, after, page.Search, page.Limit + 1, http.RequestAborted);
        return Answers.Page(modes, page.Limit, mode => $"{(mode.IsSystem ? System : Tenant)}:{mode.ModeName}");
    }

    private const string System = "system";
    private const string Tenant = "tenant";

    /// <summary>The order is by kind and name, so that is the cursor.</summary>
    private static (PageQuery Page, (bool IsSystem, string ModeName)? After, Refusal? Refusal) ReadPage(HttpContext http, string? search)
    {
        var (limit, invalid) = PageQuery.ReadLimit(http);
        invalid ??= PageQuery.CheckSearch(search);
        var page = new PageQuery(Guid.Empty, limit, PageQuery.Trimmed(search));
        if (invalid is not null || !http.Request.Query.TryGetValue("after", out var text))
        {
            return (page, null, invalid);
        }

        var cursor = text.ToString();
        var colon = cursor.IndexOf(':');
        return colon > 0 && cursor[..colon] is System or Tenant && !cursor.Contains('\0')
            ? (page, (cursor[..colon] == System, cursor[(colon + 1)..]), null)
            : (default, null, PageQuery.BadAfter);
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, IGrainFactory grains)
    {
        var (tenant, _, actor, refusal) = await Resolve(http, who);
        return refusal is null && (await Find(tenant, actor, id, grains)).Read is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("focus_mode")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, FocusModeChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (tenant, caller, actor, refusal) = await Resolve(http, who);
        if (refusal is not null || await Find(tenant, actor, id, grains) is not (var whose, { }))
        {
            return (refusal ?? Refusal.NotFound("focus_mode")).ToResult();
        }

        return (await commands.Run<FocusModeView>(http, whose, caller.KeyId, actor, body, command => Catalogue(grains, whose).UpdateFocusMode(command, id, body))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (tenant, caller, actor, refusal) = await Resolve(http, who);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        Task<Outcome<Nothing>> DeleteFrom(Guid? whose) =>
            commands.Run<Nothing>(http, whose, caller.KeyId, actor, null, command => Catalogue(grains, whose).DeleteFocusMode(command, id));

        var (owner, read) = await Find(tenant, actor, id, grains);
        if (read is not null)
        {
            return (await DeleteFrom(owner)).ToResult();
        }

        // A repeat finds nothing any more, but the command log of whose it was knows it: the tenant's, or for an operator the system's.
        var outcome = await DeleteFrom(tenant);
        return (outcome.Refusal is not null && tenant is not null && actor.IsOperator ? await DeleteFrom(null) : outcome).ToResult();
    }
}
