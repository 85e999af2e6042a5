using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PersonaActors.Contracts;
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
        settings.MapGet("", Get).WithSummary("The tenant's settings").ProducesProblem(404);
        settings.MapPatch("", Update).RequireAuthorization(Policies.Admin).WithSummary("Changes the tenant's settings: absent keeps, null clears, \"off\" switches off").ProducesProblem(403);
    }

    private static async Task<IResult> Get(HttpContext http, ActingResolver who, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).Get() is { } read
            ? new Read<TenantSettings>(new TenantSettings(read.Value), read.Epoch, read.Seq).ToResult()
            : (refusal ?? Refusal.NotFound("tenant")).ToResult();
    }

    private static async Task<IResult> Update(HttpContext http, TenantSettingsChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var outcome = await commands.Run<TenantView>(http, acting!, body, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).ChangeSettings(command, body));
        return outcome.Value is { } tenant ? Results.Json(new TenantSettings(tenant), Wire.Json) : outcome.ToResult();
    }

    /// <summary>As PATCH takes it: the tier's own keys, those that are set, beside the rest.</summary>
    [System.Text.Json.Serialization.JsonConverter(typeof(Converter))]
    private sealed record TenantSettings(TenantView Tenant);

    private sealed class Converter : System.Text.Json.Serialization.JsonConverter<TenantSettings>
    {
        public override TenantSettings Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, TenantSettings value, JsonSerializerOptions options)
        {
            var body = JsonSerializer.SerializeToNode(value.Tenant.Settings, Wire.Json)!.AsObject();
            body["conversationRetentionDays"] = value.Tenant.ConversationRetentionDays;
            body["version"] = value.Tenant.Version;
            body.WriteTo(writer, options);
        }
    }
}
