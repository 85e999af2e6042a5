using System.Buffers;
using System.Globalization;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Conversations;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Grains.Conversations;

namespace PersonaActors.Gateway.Http;

/// <summary>
/// The short way of what is asked most: GET of a personality's prompt for a user, in a channel or not, and of a channel's newest
/// messages; all of it named by plain ids, with nothing else asked and a key that this connection has shown before. Finding
/// that out costs less than routing, and the rest is the route's own doing; whatever is not exactly that goes the long way, and
/// gets the same answer.
/// </summary>
public sealed class Lane(RequestDelegate next, EndpointDataSource endpoints, KeyRing keys, IPromptDesk desk, GatewayOptions options)
{
    /// <summary>Nothing of it is written otherwise in an address.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.");

    private Endpoint? _prompt;
    private Endpoint? _window;

    public Task Invoke(HttpContext http)
    {
        var path = http.Request.Path.Value.AsSpan();
        var query = http.Request.QueryString.Value.AsSpan();
        if (TryBetween(path, "/v1/personalities/", "/prompt", out var personality))
        {
            return Guid.TryParseExact(personality, "D", out var id) && TryPrompt(query, out var user, out var channel) && Caller(http) is { } acting && acting.MayActFor(user)
                ? PromptEndpoints.Answer(Routed(http, ref _prompt, TakesLane.Prompt), acting, user, new PromptRequest(PromptSpeaker.Personality, id, channel), null, desk)
                : next(http);
        }

        if (TryBetween(path, "/v1/channels/", "/messages", out var plain))
        {
            return IsChannel(plain) && TryWindow(query, out var last) && Caller(http) is { User: null, MayActForAnybody: true } acting
                ? MessageEndpoints.Window(Routed(http, ref _window, TakesLane.Window), new ChannelKey(acting.Tenant, plain.ToString()), acting.Actor, null, last, desk)
                : next(http);
        }

        return next(http);
    }

    /// <summary>Who asks, if the short way may say so.</summary>
    private Acting? Caller(HttpContext http)
    {
        var headers = http.Request.Headers;
        return HttpMethods.IsGet(http.Request.Method) && headers.Origin.Count == 0 && !headers.ContainsKey(ActingResolver.UserHeader) && !headers.ContainsKey(ActingResolver.TenantHeader)
            && KeyAuthentication.Remembered(http, keys) is { } acting && !CallerLimits.MayLimit(acting.Caller, options) ? acting : null;
    }

    /// <summary>For whoever measures by route.</summary>
    private HttpContext Routed(HttpContext http, ref Endpoint? known, TakesLane route)
    {
        http.SetEndpoint(known ??= endpoints.Endpoints.First(endpoint => endpoint.Metadata.GetMetadata<TakesLane>() == route));
        return http;
    }

    private static bool TryBetween(ReadOnlySpan<char> path, string before, string after, out ReadOnlySpan<char> text)
    {
        text = default;
        if (path.Length <= before.Length + after.Length || !path.StartsWith(before, StringComparison.Ordinal) || !path.EndsWith(after, StringComparison.Ordinal))
        {
            return false;
        }

        text = path[before.Length..^after.Length];
        return true;
    }

    /// <summary>?user=, and nothing else but &amp;channel=.</summary>
    private static bool TryPrompt(ReadOnlySpan<char> query, out Guid user, out string? channel)
    {
        const string Named = "?user=";
        const string In = "&channel=";
        const int Id = 36;
        (user, channel) = (default, null);
        if (!query.StartsWith(Named, StringComparison.Ordinal) || query.Length < Named.Length + Id || !Guid.TryParseExact(query.Slice(Named.Length, Id), "D", out user))
        {
            return false;
        }

        var rest = query[(Named.Length + Id)..];
        if (rest.IsEmpty)
        {
            return true;
        }

        if (!rest.StartsWith(In, StringComparison.Ordinal) || !IsChannel(rest[In.Length..]))
        {
            return false;
        }

        channel = rest[In.Length..].ToString();
        return true;
    }

    /// <summary>?last=, and nothing else.</summary>
    private static bool TryWindow(ReadOnlySpan<char> query, out int last)
    {
        const string Last = "?last=";
        last = 0;
        return query.StartsWith(Last, StringComparison.Ordinal) && int.TryParse(query[Last.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out last)
            && last is >= 1 and <= MessageRules.MaxWindow;
    }

    private static bool IsChannel(ReadOnlySpan<char> text) => text.Length is > 0 and <= ChannelKey.MaxId && !text.ContainsAnyExcept(Plain);
}

/// <summary>Endpoint metadata: a route that <see cref="Lane"/> is the short way of.</summary>
public sealed class TakesLane
{
    public static readonly TakesLane Prompt = new();
    public static readonly TakesLane Window = new();
}
