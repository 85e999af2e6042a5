using System.Globalization;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Auth;

/// <summary>Who calls, by the key or the token that the request shows. What they may do is for the <see cref="Policies"/> to say.</summary>
public sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes, ILoggerFactory loggers, UrlEncoder encoder,
    KeyRing keys, ConnectionTokens tokens, WrongKeys wrong, GatewayOptions options)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, loggers, encoder)
{
    public const string Name = "key";

    private const string Bearer = "Bearer ";

    private static readonly object LastKey = new();

    private static readonly Refusal NoKey = new(
        RefusalKind.Unauthenticated, "key_missing", "Send a key: 'Authorization: Bearer pa_…'.");

    public static readonly Refusal WrongKey = new(
        RefusalKind.Unauthenticated, "key_unknown", "The key or token is unknown, revoked or expired.");

    /// <summary>A key (not a token, which runs out) as the header had it.</summary>
    /// <param name="Acting">For itself; nobody where it belongs to no tenant.</param>
    private sealed record KnownKey(string Header, Guid Key, AuthenticateResult Result, Acting? Acting, long Changes);

    /// <summary>Who calls, for itself in its tenant, if this connection has shown the same key before.</summary>
    public static Acting? Remembered(HttpContext http, KeyRing keys)
    {
        if (Known(http, keys)?.Acting is not { } acting)
        {
            return null;
        }

        keys.Used(acting.Caller.KeyId);
        return acting;
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (options.AuthOffTenant is { } tenant)
        {
            return Task.FromResult(Result(new Caller(Guid.Empty, ApiKeyKind.TenantAdmin, tenant, null, true)));
        }

        // Where nobody needs a key, none costs a query.
        return Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is not { } rule ? Task.FromResult(AuthenticateResult.NoResult())
            : Known(Context, keys) is { } known ? Used(known)
            : Identify(rule.Policy == Policies.Realtime);
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var isWrong = (await HandleAuthenticateOnceSafeAsync()).Failure is not null;
        if (isWrong && wrong.IsLimited(Context.Connection.RemoteIpAddress, out var wait))
        {
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return;
        }

        Response.Headers.WWWAuthenticate = "Bearer";
        await Problems.Write(Context, isWrong ? WrongKey : NoKey);
    }

    /// <summary>A key that was shown here before isn't hashed again as long as no key has ended.</summary>
    private static KnownKey? Known(HttpContext http, KeyRing keys) =>
        Connection(http) is { } connection && connection.TryGetValue(LastKey, out var found) && found is KnownKey known
        && known.Changes == keys.Changes && http.Request.Headers.Authorization is [{ } header] && header == known.Header
            ? known
            : null;

    /// <summary>Where several requests share a connection at once, its items are not for us.</summary>
    private static IDictionary<object, object?>? Connection(HttpContext http) =>
        HttpProtocol.IsHttp11(http.Request.Protocol) ? http.Features.Get<IConnectionItemsFeature>()?.Items : null;

    private async Task<AuthenticateResult> Identify(bool realtime)
    {
        var header = Request.Headers.Authorization.ToString();
        var text = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : "";
        if (text.Length == 0 && realtime)
        {
            // Browsers can't set headers on WebSockets and event sources.
            text = Request.Query["access_token"].ToString();
            header = "";
        }

        if (text.Length == 0)
        {
            return AuthenticateResult.NoResult();
        }

        var (changes, from) = (keys.Changes, Context.Connection.RemoteIpAddress);
        var caller = text.StartsWith(ConnectionTokens.Prefix, StringComparison.Ordinal)
            ? await tokens.Open(text, Context.RequestAborted, from)
            : await keys.Find(text, from, Context.RequestAborted) is { } key ? new Caller(key.Id, key.Kind, key.Tenant, key.UserId, key.MayDelegate) : null;
        if (caller is null)
        {
            return AuthenticateResult.Fail(WrongKey.Detail);
        }

        keys.Used(caller.KeyId);
        var result = Result(caller);
        if (header.Length > 0 && caller is { Audience: null, ExpiresAt: null } && Connection(Context) is { } connection)
        {
            connection[LastKey] = new KnownKey(header, caller.KeyId, result, caller.Tenant is { } tenant ? new Acting(caller, tenant, caller.User) : null, changes);
        }

        return result;
    }

    private Task<AuthenticateResult> Used(KnownKey known)
    {
        keys.Used(known.Key);
        return Task.FromResult(known.Result);
    }

    private static AuthenticateResult Result(Caller caller) => AuthenticateResult.Success(new AuthenticationTicket(new(new CallerIdentity(caller)), Name));
}
