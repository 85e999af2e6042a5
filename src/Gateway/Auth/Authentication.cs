using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Auth;

/// <summary>Finds out who calls, before anything else happens. Open routes are those that say so with <see cref="OpenToAll"/>.</summary>
public sealed class Authentication(RequestDelegate next, KeyRing keys, ConnectionTokens tokens, GatewayOptions options)
{
    private const string Bearer = "Bearer ";

    private static readonly object LastKey = new();

    private static readonly Refusal NoKey = new(
        RefusalKind.Unauthenticated, "key_missing", "Send a key: 'Authorization: Bearer pa_…'.");

    private static readonly Refusal WrongKey = new(
        RefusalKind.Unauthenticated, "key_unknown", "The key or token is unknown, revoked or expired.");

    private static readonly Refusal WrongAudience = new(
        RefusalKind.Forbidden, "token_audience", "This token opens the hub and the event streams only.");

    /// <summary>A key (not a token, which runs out) as the header had it.</summary>
    /// <param name="Acting">For itself; nobody where it belongs to no tenant.</param>
    private sealed record KnownKey(string Header, Caller Caller, Acting? Acting, long Changes);

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

    /// <summary>Who calls, for itself in its tenant, if this connection has shown the same key before.</summary>
    public static Acting? Remembered(HttpContext http, KeyRing keys) => Known(http, keys)?.Acting;

    /// <summary>A key that was shown here before isn't hashed again as long as no key has ended.</summary>
    private static KnownKey? Known(HttpContext http, KeyRing keys) =>
        Connection(http) is { } connection && connection.TryGetValue(LastKey, out var found) && found is KnownKey known
        && known.Changes == keys.Changes && http.Request.Headers.Authorization is [{ } header] && header == known.Header
            ? known
            : null;

    private Task Authenticated(HttpContext http)
    {
        if (Known(http, keys) is { } known)
        {
            http.SetCaller(known.Caller);
            return next(http);
        }

        return Identified(http);
    }

    /// <summary>Where several requests share a connection at once, its items are not for us.</summary>
    private static IDictionary<object, object?>? Connection(HttpContext http) =>
        HttpProtocol.IsHttp11(http.Request.Protocol) ? http.Features.Get<IConnectionItemsFeature>()?.Items : null;

    private async Task Identified(HttpContext http)
    {
        var realtime = http.GetEndpoint()!.Metadata.GetMetadata<OpenToTokens>() is not null;
        var header = http.Request.Headers.Authorization.ToString();
        var text = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : "";
        if (text.Length == 0 && realtime)
        {
            // Browsers can't set headers on WebSockets and event sources.
            text = http.Request.Query["access_token"].ToString();
            header = "";
        }

        if (text.Length == 0)
        {
            await Problems.Write(http, NoKey);
            return;
        }

        var changes = keys.Changes;
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

        if (header.Length > 0 && caller is { Audience: null, ExpiresAt: null } && Connection(http) is { } connection)
        {
            connection[LastKey] = new KnownKey(header, caller, caller.Tenant is { } tenant ? new Acting(caller, tenant, caller.User) : null, changes);
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
