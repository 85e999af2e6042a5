using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;

namespace PersonaActors.Gateway.Prompts;

/// <summary>
/// The short way of what is asked most: GET of a personality's prompt for a user, both named by id, with nothing else asked and
/// a key that this connection has shown before. Finding that out costs less than routing, and the rest is the route's own
/// doing; whatever is not exactly that goes the long way, and gets the same answer.
/// </summary>
public sealed class PromptLane(
    RequestDelegate next, EndpointDataSource endpoints, KeyRing keys, IPromptDesk desk, GatewayOptions options)
{
    private const string Before = "/v1/personalities/";
    private const string After = "/prompt";
    private const string User = "?user=";

    private Endpoint? _route;

    public Task Invoke(HttpContext http)
    {
        var request = http.Request;
        if (!TryPersonality(request.Path.Value, out var personality) || !TryUser(request.QueryString.Value, out var user)
            || !HttpMethods.IsGet(request.Method) || request.Headers.Origin.Count > 0 || request.Headers.ContainsKey(ActingResolver.UserHeader)
            || request.Headers.ContainsKey(ActingResolver.TenantHeader)
            || KeyAuthentication.Remembered(http, keys) is not { } acting || CallerLimits.MayLimit(acting.Caller, options)
            || !acting.MayActFor(user) || !Guid.TryParseExact(personality, "D", out var id))
        {
            return next(http);
        }

        // For whoever measures by route.
        http.SetEndpoint(_route ??= endpoints.Endpoints.First(endpoint => endpoint.Metadata.GetMetadata<TakesLane>() is not null));
        return PromptEndpoints.Answer(http, acting, user, new PromptRequest(PromptSpeaker.Personality, id), null, desk);
    }

    private static bool TryPersonality(string? path, out ReadOnlySpan<char> text)
    {
        text = default;
        if (path is null || !path.StartsWith(Before, StringComparison.Ordinal) || !path.EndsWith(After, StringComparison.Ordinal) || path.Length <= Before.Length + After.Length)
        {
            return false;
        }

        text = path.AsSpan(Before.Length..^After.Length);
        return !text.Contains('/');
    }

    private static bool TryUser(string? query, out Guid user)
    {
        user = default;
        return query is not null && query.StartsWith(User, StringComparison.Ordinal) && Guid.TryParseExact(query.AsSpan(User.Length), "D", out user);
    }
}

/// <summary>Endpoint metadata: the route that <see cref="PromptLane"/> is the short way of.</summary>
public sealed class TakesLane
{
    public static readonly TakesLane Instance = new();
}
