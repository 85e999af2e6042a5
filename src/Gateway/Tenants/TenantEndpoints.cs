using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Tenants;

public sealed record NewTenantBody(string? Name, string? DisplayName);

public sealed record NewKeyBody(ApiKeyKind? Kind, string? Name, string? User, bool? MayDelegate);

/// <summary>A key when it is made: the only time that it is shown.</summary>
public sealed record FreshKey(
    Guid Id, ApiKeyKind Kind, string Name, string Prefix, Guid? UserId, bool MayDelegate, DateTimeOffset CreatedAt, string? Key);

public sealed record TokenBody(string? User, int? Minutes, TokenAudience? Audience);

public sealed record FreshToken(string Token, Guid User, TokenAudience Audience, DateTimeOffset ExpiresAt);

public static class TenantEndpoints
{
    internal static readonly Refusal MayNotHandOn = Refusal.Forbidden(
        ActingResolver.MayNotDelegate.Code, "This key may not act for users, so it makes none that do: no user keys, and services and admins with 'mayDelegate' false.");

    public static void MapTenants(this IEndpointRouteBuilder routes)
    {
        var tenants = routes.MapGroup("/v1/tenants").WithTags("Tenants");
        tenants.MapPost("", Create).RequireAuthorization(Policies.Operator).WithSummary("Makes a tenant").Produces<TenantView>(201).ProducesProblem(409);
        tenants.MapGet("", List).RequireAuthorization(Policies.Operator).WithSummary("Lists tenants, all or those with ?search= in their name").Produces<Page<TenantView>>();
        tenants.MapGet("{id:guid}", Get).WithSummary("A tenant").Produces<TenantView>().ProducesProblem(404);
        tenants.MapPatch("{id:guid}", Update).WithSummary("Changes a tenant").Produces<TenantView>().ProducesProblem(404);

        tenants.MapDelete("{id:guid}", Delete).RequireAuthorization(Policies.Operator).WithSummary("Deletes a tenant with all that is its: refused until ?confirm= gives its name").Produces(204);

        var keys = routes.MapGroup("/v1/keys").RequireAuthorization(Policies.Admin).WithTags("Keys");
        keys.MapPost("", CreateKey).WithSummary("Makes an API key; it is shown in this answer only").Produces<FreshKey>(201).ProducesProblem(403);
        keys.MapGet("", ListKeys).WithSummary("Lists the tenant's keys").Produces<Page<ApiKeyView>>();
        keys.MapGet("{id:guid}", GetKey).WithSummary("A key, without what opens").Produces<ApiKeyView>().ProducesProblem(404);
        keys.MapPatch("{id:guid}", RenameKey).WithSummary("Renames a key").Produces<ApiKeyView>().ProducesProblem(404);
        keys.MapDelete("{id:guid}", RevokeKey).WithSummary("Revokes a key, its tokens and its connections at once").Produces(204).ProducesProblem(404);

        routes.MapPost("/v1/tokens", CreateToken).WithTags("Keys").WithSummary("Makes a short-lived token for a user's browser")
            .WritesNothing().Produces<FreshToken>(201).ProducesProblem(403);
    }

    private static async Task<IResult> Create(HttpContext http, NewTenantBody body, Commands commands, IGrainFactory grains, Clock time)
    {
        var caller = http.Caller();
        var draft = new TenantDraft(body.Name ?? "", body.DisplayName ?? body.Name ?? "");
        // The answer lies with the new tenant; so that a repeat finds it, the tenant's id follows from the command's.
        var id = http.Request.Headers.TryGetValue(Commands.Header, out var named) ? DerivedId(caller.KeyId, named.ToString()) : Guid.CreateVersion7(time.GetUtcNow());
        var outcome = await commands.Run<TenantView>(http, id, caller.KeyId, new Actor(ActorKind.Operator, null), body,
            command => grains.Of<ITenantGrain>(new TenantKey(id)).Create(command, draft));
        return outcome.ToResult(tenant => $"/v1/tenants/{tenant.Id}");
    }

    private static Guid DerivedId(Guid caller, string command) =>
        new(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"tenant {caller} {command}")).AsSpan(0, 16));

    private static async Task<IResult> List(HttpContext http, string? search, TenantStore store)
    {
        var (page, invalid) = PageQuery.Read(http, search);
        return invalid is not null
            ? invalid.ToResult()
            : Answers.Page(await store.List(page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, tenant => tenant.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, IGrainFactory grains)
    {
        return MayManage(http, id) && await grains.Of<ITenantGrain>(new TenantKey(id)).Get() is { } read
            ? read.ToResult()
            : Refusal.NotFound("tenant").ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, Guid id, TenantChange body, Commands commands, IGrainFactory grains)
    {
        if (!MayManage(http, id))
        {
            return Refusal.NotFound("tenant").ToResult();
        }

        var acting = new Acting(http.Caller(), id, null);
        return (await commands.Run<TenantView>(http, acting, body, command => grains.Of<ITenantGrain>(new TenantKey(id)).Update(command, body))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, Guid id, string? confirm, Commands commands, KeyRing keys, IGrainFactory grains)
    {
        var outcome = await commands.Run<Nothing>(http, null, http.Caller().KeyId, new Actor(ActorKind.Operator, null), null,
            command => grains.Of<ITenantGrain>(new TenantKey(id)).Delete(command, confirm));
        if (outcome.Refusal is null)
        {
            keys.EndOf(id);
        }

        return outcome.ToResult();
    }

    private static bool MayManage(HttpContext http, Guid tenant) =>
        http.Caller() is { IsAdmin: true } caller && (caller.Tenant is null || caller.Tenant == tenant) && !http.Request.Headers.ContainsKey(ActingResolver.UserHeader);

    private static async Task<IResult> CreateKey(HttpContext http, NewKeyBody body, ActingResolver who, Commands commands, IGrainFactory grains, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        if (body.Kind is not { } kind)
        {
            return Refusal.Invalid("kind", "'kind' is one of user, service, tenant-admin.").ToResult();
        }

        // Or whoever may make keys could act for anybody by making one that may.
        var actsForOthers = body.MayDelegate ?? kind == ApiKeyKind.Service;
        if ((actsForOthers || kind == ApiKeyKind.User) && !acting!.Caller.ActsForOthers)
        {
            return MayNotHandOn.ToResult();
        }

        Guid? user = null;
        if (body.User is { } named)
        {
            user = await who.FindUser(acting!.Tenant, named, http.RequestAborted);
            if (user is null)
            {
                return Refusal.NotFound("user").ToResult();
            }
        }

        var (text, key) = ApiKeyText.Make(Guid.CreateVersion7(time.GetUtcNow()), kind, body.Name ?? "", user, actsForOthers);
        var outcome = await commands.Run<ApiKeyView>(http, acting!, body, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).AddKey(command, key));
        // A repeat answers without the key: it was shown once.
        return outcome.Show(view => new FreshKey(view.Id, view.Kind, view.Name, view.Prefix, view.UserId, view.MayDelegate, view.CreatedAt, view.Id == key.Id ? text : null))
            .ToResult(made => $"/v1/keys/{made.Id}");
    }

    private static async Task<IResult> GetKey(HttpContext http, Guid id, ActingResolver who, TenantStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await store.FindKey(acting!.Tenant, id) is { } key
            ? Answers.Entity(key)
            : (refusal ?? Refusal.NotFound("key")).ToResult();
    }

    private static async Task<IResult> ListKeys(HttpContext http, ActingResolver who, ApiKeyStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http);
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var rows = await store.List(acting!.Tenant, page.After, page.Limit + 1, http.RequestAborted);
        return Answers.Page(rows.ConvertAll(row => row.ToView()), page.Limit, key => key.Id.ToString());
    }

    private static async Task<IResult> RenameKey(HttpContext http, Guid id, ApiKeyChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<ApiKeyView>(http, acting!, body, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).RenameKey(command, id, body))).ToResult();
    }

    private static async Task<IResult> RevokeKey(HttpContext http, Guid id, ActingResolver who, Commands commands, KeyRing keys, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var outcome = await commands.Run<ApiKeyView>(http, acting!, null, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).RevokeKey(command, id));
        if (outcome.Value is { } revoked)
        {
            keys.End(revoked.Id);
        }

        return outcome.ToResult();
    }

    private static async Task<IResult> CreateToken(HttpContext http, TokenBody body, ActingResolver who, KeyRing keys, IGrainFactory grains, GatewayOptions options, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        if (options.AuthOffTenant is not null || acting!.Caller.Audience is not null)
        {
            return Refusal.Forbidden("key_required", "Tokens are made with a key; with auth off none is needed.").ToResult();
        }

        if (body.Minutes is < 1 or > ConnectionTokens.MaxMinutes)
        {
            return Refusal.Invalid("minutes", $"A token lives between 1 and {ConnectionTokens.MaxMinutes} minutes.").ToResult();
        }

        var caller = acting.Caller;
        if (!acting.MayActForAnybody)
        {
            return ActingResolver.MayNotDelegate.ToResult();
        }

        var user = body.User is { } named ? await who.FindUser(acting.Tenant, named, http.RequestAborted) : acting.User;
        if (user is null)
        {
            return (body.User is null ? new Refusal(RefusalKind.Invalid, "user_required", "Name the user that the token is for.", "user") : Refusal.NotFound("user")).ToResult();
        }

        if (await who.Check(acting, user.Value) is { } no)
        {
            return (no.Kind == RefusalKind.NotFound ? ActingResolver.MayNotDelegate : no).ToResult();
        }

        if (await grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, user.Value)).Get() is null || await keys.FindById(caller.KeyId, http.RequestAborted) is not { } key)
        {
            return Refusal.NotFound("user").ToResult();
        }

        if (key.Tenant is null)
        {
            return Refusal.Forbidden("tenant_key_required", "A token belongs to a tenant: make it with a key of that tenant.").ToResult();
        }

        var audience = body.Audience ?? TokenAudience.Realtime;
        var expires = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().AddMinutes(body.Minutes ?? ConnectionTokens.DefaultMinutes).ToUnixTimeSeconds());
        return Results.Json(new FreshToken(ConnectionTokens.Make(key, user.Value, audience, expires), user.Value, audience, expires), Wire.Json, statusCode: 201);
    }
}
