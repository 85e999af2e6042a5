using System.Text.Json.Serialization;
using Microsoft.AspNetCore.SignalR;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Realtime;

/// <summary>What Ping answers; no time where there were too many calls.</summary>
public sealed record ServerClock(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Now,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] StreamRefusal? Refused = null);

/// <summary>What Refresh answers: until when the connection lasts now, or why the token is no good.</summary>
public sealed record Refreshed(DateTimeOffset? ExpiresAt, StreamRefusal? Refused);

/// <summary>
/// What clients call. It listens only: commands are HTTP; a call counts like a request. Calls on clients are <c>events(event[])</c>,
/// <c>revoked(stream)</c> and <c>tokenExpiring(seconds)</c>; see <see cref="Frame"/>.
/// </summary>
public sealed class PersonaHub(Admission admission, ConnectionRoster roster, ConnectionTokens tokens, CallerLimits limits, Clock time) : Hub
{
    private static readonly StreamRefusal BadToken = new("token_invalid", "The token is not valid, or is for another user or tenant than this connection's.");

    /// <summary>Answers for each stream, in order. What comes first is sent first; events may overtake this answer.</summary>
    public async Task<StreamAnswer[]> Subscribe(StreamRequest?[]? streams)
    {
        var client = HubConnections.Of(Context);
        streams ??= [];
        if (streams.Length > EventConnection.MaxStreams)
        {
            client.Close(CloseReason.TooManyStreams);
            return [];
        }

        if (limits.Refuses(client.Acting.Caller, out var wait))
        {
            return [.. streams.Select(request => StreamAnswer.No(request?.Stream, StreamRefusal.SlowDown(wait)))];
        }

        var results = await admission.Subscribe(client, streams.Select(request => request ?? new StreamRequest(null)));
        foreach (var (_, subscription) in results)
        {
            if (subscription is not null)
            {
                Admission.Start(subscription);
            }
        }

        return [.. results.Select(result => result.Answer)];
    }

    public async Task Unsubscribe(string?[]? streams)
    {
        var client = HubConnections.Of(Context);
        var isRefused = limits.Refuses(client.Acting.Caller, out _);
        foreach (var stream in streams ?? [])
        {
            if (stream is not null)
            {
                // To leave is never refused; only how HTTP names the thing isn't looked up then.
                await admission.Unsubscribe(client, stream, maySpell: !isRefused);
            }
        }
    }

    public ServerClock Ping() => limits.Refuses(HubConnections.Of(Context).Acting.Caller, out var wait)
        ? new ServerClock(null, StreamRefusal.SlowDown(wait))
        : new ServerClock(time.GetUtcNow());

    /// <summary>Keeps the connection with a new token of the same user, however it was authenticated before.</summary>
    public async Task<Refreshed> Refresh(string? token)
    {
        var client = HubConnections.Of(Context);
        var before = client.Acting.Caller;
        if (limits.Refuses(before, out var wait))
        {
            return new Refreshed(null, StreamRefusal.SlowDown(wait));
        }

        if (token is null || before.ExpiresAt is null || await tokens.Open(token, Context.ConnectionAborted) is not { } caller
            || caller.Tenant != before.Tenant || caller.User != before.User)
        {
            return new Refreshed(null, BadToken);
        }

        client.Renew(caller);
        roster.Expire(client);
        return new Refreshed(caller.ExpiresAt, null);
    }
}
