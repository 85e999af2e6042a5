using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Auth;

/// <summary>Finds out who calls, before anything else happens. Open routes are those that say so with <see cref="OpenToAll"/>.</summary>
public sealed class Authentication(RequestDelegate next, KeyRing keys, ConnectionTokens tokens, GatewayOptions options)
{
    private const string Bearer = "Bearer ";

    private static readonly Refusal NoKey = new(
        RefusalKind.Unauthenticated, "key_missing", "Send a key: 'Authorization: Bearer pa_…'.");

    private static readonly Refusal WrongKey = new(
        RefusalKind.Unauthenticated, "key_unknown", "The key or token is unknown, revoked or expired.");

    private static readonly Refusal WrongAudience = new(
        RefusalKind.Forbidden, "token_audience", "This token opens the hub and the event streams only.");

    public Task Invoke(HttpContext http)
    {
        if (options.AuthOffTenant is { } tenant)
        {
            http.SetCaller(new Caller(Guid.Empty, ApiKeyKind.TenantAdmin, tenant, null, true));
            return next(http);
        }

        if (http.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null || http.GetEndpoint() is null)
        {
            return next(http);
        }

        return Authenticated(http);
    }

    private async Task Authenticated(HttpContext http)
    {
        var realtime = http.GetEndpoint()!.Metadata.GetMetadata<OpenToTokens>() is not null;
        var header = http.Request.Headers.Authorization.ToString();
        var text = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : "";
        if (text.Length == 0 && realtime)
        {
            // Browsers can't set headers on WebSockets and event sources.
            text = http.Request.Query["access_token"].ToString();
        }

        if (text.Length == 0)
        {
            await Problems.Write(http, NoKey);
            return;
        }

        if (await Identify(text, http.RequestAborted) is not { } caller)
        {
            await Problems.Write(http, WrongKey);
            return;
        }

        if (caller.Audience == TokenAudience.Realtime && !realtime)
        {
            await Problems.Write(http, WrongAudience);
            return;
        }

        http.SetCaller(caller);
        await next(http);
    }

    private ValueTask<Caller?> Identify(string text, CancellationToken cancel) =>
        text.StartsWith(ConnectionTokens.Prefix, StringComparison.Ordinal) ? tokens.Open(text, cancel) : ByKey(text, cancel);

    private async ValueTask<Caller?> ByKey(string text, CancellationToken cancel) =>
        await keys.Find(text, cancel) is { } key ? new Caller(key.Id, key.Kind, key.Tenant, key.UserId, key.MayDelegate) : null;
}

/// <summary>Endpoint metadata: needs no key (health, the OpenAPI document).</summary>
public sealed class OpenToAll
{
    public static readonly OpenToAll Instance = new();
}

/// <summary>Endpoint metadata: connection tokens for real time open it, also from the query string.</summary>
public sealed class OpenToTokens
{
    public static readonly OpenToTokens Instance = new();
}
