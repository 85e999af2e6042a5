using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Who acts for whom: the one place that every route and every stream asks. From a caller and what the request names to the
/// tenant and the user; whoever acts for a user is that user, whatever the key. Someone else's thing is not found.
/// </summary>
public sealed class ActingResolver(IdentityIndex identities, TenantStore tenants, UserStandings standings, IGrainFactory grains)
{
    public const string TenantHeader = "X-Persona-Tenant";
    public const string UserHeader = "X-Persona-User";

    /// <summary>In place of an id: the user that the caller acts for.</summary>
    private const string Me = "me";

    private static readonly Refusal TenantRequired = new(
        RefusalKind.Invalid, "tenant_required", $"An operator's key names the tenant in {TenantHeader} (id or name).", TenantHeader);

    public static readonly Refusal MayNotDelegate = new(
        RefusalKind.Forbidden, "may_not_delegate", "This key may not act for another user.");

    private static readonly Refusal OtherTenant = Refusal.Forbidden("other_tenant", $"This key belongs to another tenant than {TenantHeader} names.");

    private static readonly Refusal UserUnknown = new(
        RefusalKind.NotFound, "user_not_found", "There is no such user.", UserHeader);

    public static readonly Refusal UserRequired = new(
        RefusalKind.Invalid, "user_required", $"Name the user in '?user=' or {UserHeader}.", "user");

    private static readonly Refusal NoUser = Refusal.NotFound("user");

    /// <summary>The tenant, and the user whose key it is or whom the header names.</summary>
    public async ValueTask<(Acting? Acting, Refusal? Refusal)> Resolve(HttpContext http)
    {
        var caller = http.Caller();
        var tenant = caller.Tenant;
        var named = http.Request.Headers[TenantHeader].ToString();
        if (tenant is null && named.Length == 0)
        {
            return (null, TenantRequired);
        }

        if (named.Length > 0)
        {
            var meant = Guid.TryParse(named, out var id) ? id : (await tenants.FindByName(named, http.RequestAborted))?.Id;
            if (tenant is not null && meant != tenant)
            {
                return (null, OtherTenant);
            }

            // An operator's tenant may be gone while grains of what was its are still in memory.
            if (meant is not { } there || (tenant is null && await grains.Of<ITenantGrain>(new TenantKey(there)).Get() is null))
            {
                return (null, Refusal.NotFound("tenant"));
            }

            tenant = there;
        }

        var acting = new Acting(caller, tenant!.Value, caller.User);
        var header = http.Request.Headers[UserHeader].ToString();
        if (header.Length > 0)
        {
            if (!acting.MayActForAnybody)
            {
                return (null, MayNotDelegate);
            }

            var user = await FindUser(tenant.Value, header, http.RequestAborted);
            if (acting.User is { } own && user != own)
            {
                return (null, MayNotDelegate);
            }

            if (user is null)
            {
                return (null, UserUnknown);
            }

            acting = new Acting(caller, tenant.Value, user);
        }

        return acting.User is { } me && await CheckStanding(acting, me) is { } refusal ? (null, refusal) : (acting, null);
    }

    /// <summary>The same, for the user that is named, if one is.</summary>
    public async ValueTask<(Acting? Acting, Refusal? Refusal)> Resolve(HttpContext http, string? named)
    {
        if (named is null)
        {
            return await Resolve(http);
        }

        var (acting, _, refusal) = await ActFor(http, named);
        return (acting, refusal);
    }

    /// <summary>Acts for the user that an address, a query or a body names, or else for whom it acts anyway; there has to be one.</summary>
    /// <param name="mayBeNew">Whoever isn't there is the grain's to refuse, or to register on first use.</param>
    public async ValueTask<(Acting? Acting, Guid User, Refusal? Refusal)> ActFor(HttpContext http, string? named, bool mayBeNew = false)
    {
        var (acting, refusal) = await Resolve(http);
        return refusal is not null ? (null, default, refusal) : await ActFor(acting!, named, mayBeNew, named is null || Guid.TryParse(named, out _) ? default : http.RequestAborted);
    }

    public async ValueTask<(Acting? Acting, Guid User, Refusal? Refusal)> ActFor(Acting acting, string? named, bool mayBeNew, CancellationToken cancel)
    {
        if (named is null)
        {
            return acting.User is { } own ? (acting, own, null) : (null, default, UserRequired);
        }

        if (!acting.MayActForAnybody)
        {
            return (null, default, MayNotDelegate);
        }

        if (await FindUser(acting, named, cancel) is not { } user)
        {
            return (null, default, NoUser);
        }

        var standing = await standings.Of(acting.Tenant, user);
        return (Check(acting, user, standing) ?? (standing == Standing.Unknown && !mayBeNew ? NoUser : null)) is { } refusal
            ? (null, default, refusal)
            : (acting.User == user ? acting : new Acting(acting.Caller, acting.Tenant, user), user, null);
    }

    /// <summary>The account that an address names: shown to who may act for its user, and to admins, who look after accounts.</summary>
    public async ValueTask<(Acting? Acting, Guid User, Refusal? Refusal)> Account(HttpContext http, string id)
    {
        var (acting, refusal) = await Resolve(http);
        if (refusal is not null)
        {
            return (null, default, refusal);
        }

        if (!acting!.LooksAfterAccounts && !acting.MayActForAnybody)
        {
            return (null, default, MayNotDelegate);
        }

        // The token of a request that goes away is made when it is asked for: an id needs no looking up, so it asks for none.
        Guid? user = Guid.TryParse(id, out var known) ? known : await FindUser(acting, id, http.RequestAborted);
        return user is { } found && acting.MayLookAfter(found) ? (acting, found, null) : (null, default, NoUser);
    }

    /// <summary>Whether it may act for whose thing it is.</summary>
    public async ValueTask<Refusal?> Check(Acting acting, Guid user) => Check(acting, user, await standings.Of(acting.Tenant, user));

    /// <summary>Whose thing it may act for: that of the user it acts for, or, where it acts for none, of whoever has it.</summary>
    /// <param name="find">Looks whose it is.</param>
    /// <param name="unknown">What is said of a thing that isn't there.</param>
    public async ValueTask<(Guid Owner, Refusal? Refusal)> OwnerOf(Acting acting, Func<Task<Guid?>> find, Refusal unknown) =>
        acting.User is { } own ? (own, null)
        : !acting.MayActForAnybody ? (default, MayNotDelegate)
        : await find() is { } owner ? (owner, await Check(acting, owner))
        : (default, unknown);

    /// <summary>The same, of who listens.</summary>
    public async ValueTask<bool> MayActFor(Acting acting, Guid user) =>
        acting.MayActFor(user) && await standings.Of(acting.Tenant, user) == Standing.Active;

    /// <summary>A user by id, by <c>provider:subject</c>, or <c>me</c> for whom the caller acts.</summary>
    public async ValueTask<Guid?> FindUser(Acting acting, string text, CancellationToken cancel) =>
        text == Me ? acting.User : await FindUser(acting.Tenant, text, cancel);

    /// <summary>A user by id or by <c>provider:subject</c>. Whether an id exists is the grain's to say.</summary>
    public async ValueTask<Guid?> FindUser(Guid tenant, string text, CancellationToken cancel)
    {
        if (Guid.TryParse(text, out var id))
        {
            return id;
        }

        var colon = text.IndexOf(':');
        return colon > 0 && Text.CheckOptional("user", text, 310) is null
            ? await identities.Find(tenant, text[..colon], text[(colon + 1)..], cancel)
            : null;
    }

    private static Refusal? Check(Acting acting, Guid user, Standing standing) =>
        !acting.MayActFor(user) ? acting.User is null ? MayNotDelegate : NoUser
        : standing == Standing.Inactive ? UserRefusals.Inactive
        : null;

    private async ValueTask<Refusal?> CheckStanding(Acting acting, Guid user) => await standings.Of(acting.Tenant, user) switch
    {
        Standing.Inactive => UserRefusals.Inactive,
        // Keys and tokens end with their user.
        Standing.Unknown when acting.Caller.User == user => KeyAuthentication.WrongKey,
        _ => null,
    };
}
