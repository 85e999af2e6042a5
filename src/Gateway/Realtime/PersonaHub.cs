using Microsoft.AspNetCore.SignalR;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

public sealed record ServerClock(DateTimeOffset Now);

/// <summary>What Refresh answers: until when the connection lasts now, or why the token is no good.</summary>
public sealed record Refreshed(DateTimeOffset? ExpiresAt, StreamRefusal? Refused);

/// <summary>
/// What clients call. It listens only: commands are HTTP. Calls on clients are <c>events(event[])</c>,
/// <c>revoked(stream)</c> and <c>tokenExpiring(seconds)</c>; see <see cref="Frame"/>.
/// </summary>
public sealed class PersonaHub(Admission admission, ConnectionRoster roster, ConnectionTokens tokens, Clock time) : Hub
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

        var results = await Task.WhenAll(streams.Select(request => admission.Subscribe(client, request ?? new StreamRequest(null))));
        foreach (var (_, subscription) in results)
        {
            if (subscription is not null)
            {
                Admission.Start(subscription);
            }
        }

        return [.. results.Select(result => result.Answer)];
    }

    public void Unsubscribe(string?[]? streams)
    {
        var client = HubConnections.Of(Context);
        foreach (var stream in streams ?? [])
        {
            if (stream is not null)
            {
                Admission.Unsubscribe(client, stream);
            }
        }
    }

    public ServerClock Ping() => new(time.GetUtcNow());

    /// <summary>Keeps the connection with a new token of the same user, however it was authenticated before.</summary>
    public async Task<Refreshed> Refresh(string? token)
    {
        var client = HubConnections.Of(Context);
        var before = client.Acting.Caller;
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
