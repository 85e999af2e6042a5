using System.Text.Json.Serialization;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Tenants;

/// <summary>The tenant's tier of behaviour settings with how long its conversations are kept: read by all members, changed by admins.</summary>
public static class TenantSettingsEndpoints
{
    public static void MapTenantSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/v1/tenant/settings").WithTags("Tenants");
        settings.MapGet("", Get).WithSummary("The tenant's settings").Produces<TenantSettings>().ProducesProblem(404);
        settings.MapPatch("", Update).RequireAuthorization(Policies.Admin).WithSummary("Changes the tenant's settings: absent keeps, null clears, \"off\" switches off").Produces<TenantSettings>().ProducesProblem(403);
    }

    private static async Task<IResult> Get(HttpContext http, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).Get() is { } read
            ? new Read<TenantSettings>(TenantSettings.Of(read.Value), read.Epoch, read.Seq).ToResult()
            : (refusal ?? Refusal.NotFound("tenant")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, TenantSettingsChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        return (await commands.Run<TenantView>(http, acting!, body, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).ChangeSettings(command, body)))
            .Show(TenantSettings.Of).ToResult();
    }
}

/// <summary>As PATCH takes it: the tier's own keys, those that are set, beside the rest.</summary>
public sealed record TenantSettings(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MaxMessages,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MaxAge,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<int> MemoryLimit,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<double> MemoryScoreThreshold,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<bool> FocusOverlay,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Setting<bool> MindscapeOverlay,
    int ConversationRetentionDays,
    long Version)
{
    public static TenantSettings Of(TenantView tenant) => new(
        tenant.Settings.MaxMessages, tenant.Settings.MaxAge, tenant.Settings.MemoryLimit, tenant.Settings.MemoryScoreThreshold, tenant.Settings.FocusOverlay,
        tenant.Settings.MindscapeOverlay, tenant.ConversationRetentionDays, tenant.Version);
}
