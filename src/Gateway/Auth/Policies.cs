using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Auth;

/// <summary>Which callers a route is for, as far as their key alone says it, and that they act for nobody where it is for admins. Routes that name none are for every key and every token for the API.</summary>
public static class Policies
{
    /// <summary>Connection tokens for real time too, also from the query string.</summary>
    public const string Realtime = "realtime";

    public const string Operator = "operator";

    /// <summary>A tenant's admin, or an operator.</summary>
    public const string Admin = "admin";

    /// <summary>Whoever registers people: services and admins.</summary>
    public const string Registrar = "registrar";

    public static void AddCallers(this IServiceCollection services)
    {
        services.AddSingleton<WrongKeys>();
        services.AddSingleton<KeyRing>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyRing>());
        services.AddSingleton<ConnectionTokens>();
        services.AddSingleton<IdentityIndex>();
        services.AddSingleton<UserStandings>();
        services.AddSingleton<ActingResolver>();
        // Without the core, data protection would come too, which keeps files of its own and which nothing here uses.
        services.AddWebEncoders();
        services.AddAuthenticationCore(authentication =>
        {
            authentication.AddScheme<KeyAuthentication>(KeyAuthentication.Name, null);
            authentication.DefaultScheme = KeyAuthentication.Name;
        });
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusalsByRule>();
        services.AddAuthorizationBuilder()
            .SetDefaultPolicy(Of(new("token_audience", "This token opens the hub and the event streams only.", caller => caller.Audience != TokenAudience.Realtime, asItself: false)))
            .AddPolicy(Realtime, policy => policy.RequireAuthenticatedUser())
            .AddPolicy(Operator, Of(new("operator_only", "Only an operator's key may do this.", caller => caller.Kind == ApiKeyKind.Operator)))
            .AddPolicy(Admin, Of(new("admin_only", "Only a tenant admin's or an operator's key may do this.", caller => caller.IsAdmin)))
            .AddPolicy(Registrar, Of(new("may_not_register", "Users are registered with a service, admin or operator key.", caller => caller.Kind != ApiKeyKind.User)));
    }

    private static AuthorizationPolicy Of(CallerRule rule) => new AuthorizationPolicyBuilder().RequireAuthenticatedUser().AddRequirements(rule).Build();

    /// <summary>A rule that is asked itself, and says what it refuses with.</summary>
    /// <param name="asItself">Not for who acts for a user: that one is the user.</param>
    private sealed class CallerRule(string code, string detail, Func<Caller, bool> allows, bool asItself = true) : AuthorizationHandler<CallerRule>, IAuthorizationRequirement
    {
        public Refusal Refusal { get; } = Refusal.Forbidden(code, detail);

        // Each rule is asked for all of them.
        private Func<Caller, bool> Allows => allows;

        private bool AsItself => asItself;

        private static bool ActsForUser(AuthorizationHandlerContext context) => context.Resource is HttpContext http && http.Request.Headers.ContainsKey(ActingResolver.UserHeader);

        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, CallerRule requirement)
        {
            if (context.User.Identity is CallerIdentity { Caller: { } caller } && requirement.Allows(caller) && !(requirement.AsItself && ActsForUser(context)))
            {
                context.Succeed(requirement);
            }

            return Task.CompletedTask;
        }
    }

    /// <summary>The stock one forgets which rule it was.</summary>
    private sealed class RefusalsByRule : IAuthorizationMiddlewareResultHandler
    {
        private readonly AuthorizationMiddlewareResultHandler _stock = new();

        public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult) =>
            authorizeResult.AuthorizationFailure?.FailedRequirements.OfType<CallerRule>().FirstOrDefault() is { } rule && authorizeResult.Forbidden
                ? Problems.Write(context, rule.Refusal)
                : _stock.HandleAsync(next, context, policy, authorizeResult);
    }
}
