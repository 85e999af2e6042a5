using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>What a connection token opens.</summary>
public enum TokenAudience : byte
{
    /// <summary>The hub and the event streams over HTTP.</summary>
    Realtime = 1,

    /// <summary>Whatever a key of the same user opens.</summary>
    Api = 2,
}

/// <summary>Who calls, as the key (or the token made with it) says. Tenant is empty for operators only, user for keys that act for others.</summary>
public sealed record Caller(Guid KeyId, ApiKeyKind Kind, Guid? Tenant, Guid? User, bool MayDelegate)
{
    /// <summary>When the token that the caller came with runs out; a key doesn't.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public TokenAudience? Audience { get; init; }

    public bool IsAdmin => Kind is ApiKeyKind.TenantAdmin or ApiKeyKind.Operator;

    public ActorKind ActorKind => Kind switch
    {
        ApiKeyKind.Operator => ActorKind.Operator,
        ApiKeyKind.TenantAdmin => ActorKind.TenantAdmin,
        ApiKeyKind.Service => ActorKind.Service,
        _ => ActorKind.User,
    };
}

/// <summary>A caller within one tenant, and the user it acts for.</summary>
public sealed class Acting(Caller caller, Guid tenant, Guid? user)
{
    public Caller Caller { get; } = caller;

    public Guid Tenant { get; } = tenant;

    public Guid? User { get; } = user;

    public Actor Actor { get; } = new(caller.ActorKind, user);

    /// <summary>May read and change what belongs to that user.</summary>
    public bool MayActFor(Guid user) => User is { } own ? own == user : Caller.Kind != ApiKeyKind.User;

    /// <summary>An admin may look after users without being allowed to speak as one.</summary>
    public bool MaySpeakFor(Guid user) => MayActFor(user) && (User is not null || Caller is not { Kind: ApiKeyKind.TenantAdmin, MayDelegate: false });
}

/// <summary>The caller as ASP.NET knows it.</summary>
public sealed class CallerIdentity(Caller caller)
    : ClaimsIdentity([new(ClaimTypes.NameIdentifier, (caller.User ?? caller.KeyId).ToString()), new(ClaimTypes.Role, caller.Kind.ToString())], KeyAuthentication.Name)
{
    public Caller Caller => caller;
}

public static class CallerOfRequest
{
    /// <summary>There is one wherever a policy holds.</summary>
    public static Caller Caller(this HttpContext http) => ((CallerIdentity)http.User.Identity!).Caller;

    public static bool TryCaller(this HttpContext http, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Caller? caller)
    {
        caller = (http.User.Identity as CallerIdentity)?.Caller;
        return caller is not null;
    }
}
