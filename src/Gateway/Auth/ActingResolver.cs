using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Grains;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>From a caller and its headers to the tenant and the user it acts for. Someone else's thing is not found.</summary>
public sealed class ActingResolver(IdentityIndex identities, TenantStore tenants, IGrainFactory grains)
{
    public const string TenantHeader = "X-Persona-Tenant";
    public const string UserHeader = "X-Persona-User";

    private static readonly Refusal TenantRequired = new(
        RefusalKind.Invalid, "tenant_required", $"An operator's key names the tenant in {TenantHeader} (id or name).", TenantHeader);

    public static readonly Refusal MayNotDelegate = new(
        RefusalKind.Forbidden, "may_not_delegate", "This key may not act for another user.");

    private static readonly Refusal OtherTenant = Refusal.Forbidden("other_tenant", $"This key belongs to another tenant than {TenantHeader} names.");

    private static readonly Refusal UserUnknown = new(
        RefusalKind.NotFound, "user_not_found", "There is no such user.", UserHeader);

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

        var header = http.Request.Headers[UserHeader].ToString();
        if (header.Length == 0)
        {
            return (new Acting(caller, tenant!.Value, caller.User), null);
        }

        var user = await FindUser(tenant!.Value, header, http.RequestAborted);
        if (caller.Kind == ApiKeyKind.User ? user != caller.User : caller is { Kind: ApiKeyKind.TenantAdmin, MayDelegate: false })
        {
            return (null, MayNotDelegate);
        }

        return user is { } found ? (new Acting(caller, tenant.Value, found), null) : (null, UserUnknown);
    }

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
}
