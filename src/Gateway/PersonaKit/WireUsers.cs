using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Tenants;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>
/// The first server's users: not people, but who calls it. Each is a service key that has the user's email as its name, so who
/// may make keys makes them, and those that an import names are among them. A user's id is that of their first key.
/// </summary>
public static class WireUsers
{
    /// <summary>As long as a key's name.</summary>
    private const int MaxEmail = 100;

    public static void MapWireUsers(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/users", Create).RequireAuthorization(Policies.Admin);
        routes.MapGet("/users", List).RequireAuthorization(Policies.Admin);
        routes.MapPost("/users/{id}/regenerate-key", Regenerate).RequireAuthorization(Policies.Admin);
    }

    private static async Task<IResult> Create(HttpContext http, ActingResolver who, Commands commands, KeyRing keys, IGrainFactory grains, Clock time)
    {
        var body = await WireBody.Read(http);
        var email = body.Email("email", MaxEmail);
        var name = body.Text("full_name");
        return body.IsInvalid ? body.Refuse() : await Issue(http, email!, null, new { email, name }, 201, who, commands, keys, grains, time);
    }

    private static async Task<IResult> Regenerate(HttpContext http, string id, ActingResolver who, Commands commands, KeyRing keys, IGrainFactory grains, Clock time) =>
        Guid.TryParse(id, out var user) ? await Issue(http, "", user, null, 200, who, commands, keys, grains, time) : WireBody.Path("user_id", id);

    private static async Task<IResult> Issue(
        HttpContext http, string email, Guid? user, object? body, int status, ActingResolver who, Commands commands, KeyRing keys, IGrainFactory grains, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        refusal ??= acting!.Caller.ActsForOthers ? null : TenantEndpoints.MayNotHandOn;
        if (refusal is not null)
        {
            return refusal.ToWire();
        }

        var (text, key) = ApiKeyText.Make(Guid.CreateVersion7(time.GetUtcNow()), ApiKeyKind.Service, email, null, mayDelegate: true);
        var outcome = await commands.Run<IssuedKey>(http, acting!, body, command => grains.Of<ITenantGrain>(new TenantKey(acting!.Tenant)).IssueKey(command, key, user));
        if (outcome.Value is not { } issued)
        {
            return outcome.Refusal!.ToWire();
        }

        foreach (var revoked in issued.Revoked)
        {
            keys.End(revoked);
        }

        // A repeat answers without the key: it was shown once.
        return WireAnswers.Json(new { Id = issued.User, Email = issued.Key.Name, ApiKey = issued.Key.Id == key.Id ? text : null }, status);
    }

    private static async Task<IResult> List(HttpContext http, ActingResolver who, ApiKeyStore store)
    {
        var query = WireBody.Query(http);
        var (limit, offset) = (query.Int("limit", 1, 1000) ?? 100, query.Int("offset", 0, int.MaxValue) ?? 0);
        var (acting, refusal) = await who.Resolve(http);
        if (query.IsInvalid || refusal is not null)
        {
            return query.IsInvalid ? query.Refuse() : refusal!.ToWire();
        }

        var users = (await store.Named(acting!.Tenant, null, http.RequestAborted)).GroupBy(key => key.Name, StringComparer.OrdinalIgnoreCase);
        return WireAnswers.Json(users.Skip(offset).Take(limit).Select(keys => new
        {
            keys.First().Id,
            Email = keys.Last().Name,
            IsActive = keys.Any(key => key.RevokedAt is null),
            keys.First().CreatedAt,
            LastUsedAt = keys.Max(key => key.LastUsedAt),
        }));
    }
}
