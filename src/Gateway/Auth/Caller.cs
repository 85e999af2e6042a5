using System.Security.Claims;
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

    /// <summary>May act for users other than its own: operators may, the keys of a tenant if they may delegate.</summary>
    public bool ActsForOthers => Kind == ApiKeyKind.Operator || (Kind != ApiKeyKind.User && MayDelegate);

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

    /// <summary>Who acts for a user is that user; who names none acts for anybody, if it acts for others at all.</summary>
    public bool MayActFor(Guid user) => User is { } own ? own == user : Caller.ActsForOthers;

    /// <summary>Nobody's thing is its to see otherwise.</summary>
    public bool MayActForAnybody => User is not null || Caller.ActsForOthers;

    /// <summary>Admins look after accounts without being allowed to act for their users.</summary>
    public bool LooksAfterAccounts => Actor.IsAdmin || (User is null && Caller.ActsForOthers);

    public bool MayLookAfter(Guid user) => LooksAfterAccounts || MayActFor(user);
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
