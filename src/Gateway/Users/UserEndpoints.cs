using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage;
using PersonaActors.Storage.Users;

namespace PersonaActors.Gateway.Users;

public sealed record RegisterUserBody(string? Username, string? DisplayName, string? Bio, Items<UserIdentity>? Identities);

public sealed record DefaultPersonaBody(Guid? PersonaId);

public static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/v1/users").WithTags("Users");
        users.MapPost("", Register).RequireAuthorization(Policies.Registrar).WithSummary("Registers a user by its identities, with its default persona; a known one is answered as it is")
            .Produces<UserView>(201).Produces<UserView>().ProducesProblem(400).ProducesProblem(409);
        users.MapGet("", List).WithSummary("Lists users, all or those with ?search= in their name").Produces<Page<UserView>>().ProducesProblem(403);
        users.MapGet("{id}", Get).WithSummary("A user by id or provider:subject").Produces<UserView>().ProducesProblem(404);
        users.MapGet("by-identity/{provider}/{subject}", GetByIdentity).WithSummary("A user by external identity").Produces<UserView>().ProducesProblem(404);
        users.MapPatch("{id}", Update).WithSummary("Changes a user: absent keeps, null clears").Produces<UserView>().ProducesProblem(404);
        users.MapPut("{id}/identities", AttachIdentity).WithSummary("Attaches an external identity").Produces<UserView>().ProducesProblem(409);
        users.MapDelete("{id}/identities/{provider}/{subject}", DetachIdentity).WithSummary("Detaches an external identity").Produces<UserView>().ProducesProblem(404);
        users.MapPut("{id}/default-persona", SetDefaultPersona).WithSummary("Makes one of the user's personas the default").Produces<UserView>().ProducesProblem(404);
        users.MapDelete("{id}", Delete).WithSummary("Deletes a user and all that is theirs").Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> Register(HttpContext http, RegisterUserBody body, ActingResolver who, Commands commands, IGrainFactory grains, UserStore store, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var registration = new UserRegistration(body.Username ?? "", body.DisplayName, body.Bio, body.Identities ?? [], false);
        var outcome = await commands.Run<UserView>(http, acting!, body, command => FindOrMake(command, acting!, registration, grains, store, time, http.RequestAborted));
        return outcome.ToResult(user => $"/v1/users/{user.Id}");
    }

    /// <summary>Finds whom the identities belong to, or makes a new user. Whoever loses the race for an identity finds the winner.</summary>
    private static async Task<Outcome<UserView>> FindOrMake(
        Command command, Acting acting, UserRegistration registration, IGrainFactory grains, UserStore store, Clock time, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            var known = registration.Identities.Count == 0 || registration.Identities.Any(i => i?.Provider is null || i.Subject is null || i.Subject.Contains('\0') || i.Provider.Contains('\0'))
                ? []
                : await store.FindByIdentities(acting.Tenant, registration.Identities, cancel);
            if (known.Count > 1)
            {
                return Refusal.Conflict(UserRefusals.IdentityConflict, "The identities belong to different users.", "identities");
            }

            var id = known.Count == 1 ? known[0] : Guid.CreateVersion7(time.GetUtcNow());
            var outcome = await grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, id)).Register(command, registration);
            if (outcome.Refusal?.Code != UserRefusals.IdentityTaken || attempt == 3)
            {
                return outcome;
            }
        }
    }

    private static async Task<IResult> List(HttpContext http, string? search, ActingResolver who, UserStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (page, invalid) = PageQuery.Read(http, search);
        refusal ??= acting is { User: null, LooksAfterAccounts: false } ? ActingResolver.MayNotDelegate : null;
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var scope = acting!.User is { } user ? RowScope.OfUser(acting.Tenant, user) : RowScope.OfTenant(acting.Tenant);
        return Answers.Page(await store.List(scope, page.After, page.Search, page.Limit + 1, http.RequestAborted), page.Limit, user => user.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, string id, ActingResolver who, IGrainFactory grains) =>
        await who.Account(http, id) is var (acting, user, refusal) && refusal is null && await Grain(grains, acting!, user).Get() is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("user")).ToResult();

    private static Task<IResult> GetByIdentity(HttpContext http, string provider, string subject, ActingResolver who, IGrainFactory grains) =>
        Get(http, $"{provider}:{subject}", who, grains);

    private static async Task<IResult> Update(HttpContext http, string id, UserChange body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        if (refusal is null && acting!.User is not null && (body.IsFree.IsSet || body.IsActive.IsSet))
        {
            refusal = Refusal.Forbidden("admin_only", "Only a service, admin or operator key changes 'isFree' and 'isActive'.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<UserView>(http, acting!, body, command => Grain(grains, acting!, user).Update(command, body))).ToResult();
    }

    private static Task<IResult> AttachIdentity(HttpContext http, string id, UserIdentity body, ActingResolver who, Commands commands, IGrainFactory grains) =>
        ChangeIdentities(http, id, body, who, commands, grains, (user, command) => user.AttachIdentity(command, body));

    private static Task<IResult> DetachIdentity(HttpContext http, string id, string provider, string subject, ActingResolver who, Commands commands, IGrainFactory grains) =>
        ChangeIdentities(http, id, null, who, commands, grains, (user, command) => user.DetachIdentity(command, new UserIdentity(provider, subject)));

    private static async Task<IResult> ChangeIdentities(
        HttpContext http, string id, UserIdentity? body, ActingResolver who, Commands commands, IGrainFactory grains, Func<IUserGrain, Command, Task<Outcome<UserView>>> change)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        if (refusal is null && acting!.User is not null)
        {
            refusal = Refusal.Forbidden("may_not_register", "Identities are attached with a service, admin or operator key: who a person is elsewhere is not theirs to say.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<UserView>(http, acting!, body, command => change(Grain(grains, acting!, user), command))).ToResult();
    }

    private static async Task<IResult> SetDefaultPersona(HttpContext http, string id, DefaultPersonaBody body, ActingResolver who, Commands commands, IGrainFactory grains)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        if (refusal is null && body.PersonaId is null)
        {
            refusal = Refusal.Invalid("personaId", "'personaId' is required: a user always has a default persona.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<UserView>(http, acting!, body, command => Grain(grains, acting!, user).SetDefaultPersona(command, body.PersonaId!.Value))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, string id, ActingResolver who, Commands commands, KeyRing keys, IGrainFactory grains)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var outcome = await commands.Run<Nothing>(http, acting!, null, command => Grain(grains, acting!, user).Delete(command));
        if (outcome.Refusal is null)
        {
            // Whoever has the answer is known here no longer; elsewhere the event tells.
            keys.EndOf(StreamName.User(user));
        }

        return outcome.ToResult();
    }

    private static IUserGrain Grain(IGrainFactory grains, Acting acting, Guid user) => grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, user));
}
