using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Gateway.Focus;

/// <summary>The way from a request to a session or a person, shared by the native routes and those of the founding document.</summary>
public sealed class FocusSessions(ActingResolver who, FocusStore store, IGrainFactory grains, Clock time)
{
    public Clock Time => time;

    /// <summary>The session a path names, of a person the caller may act for; any other is, like one that isn't there, not found.</summary>
    public async Task<(Acting? Acting, OwnedKey Key, Refusal? Refusal)> Find(HttpContext http, Guid id)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return (null, default, refusal);
        }

        var owner = acting!.User ?? await store.FindOwner(acting.Tenant, id, http.RequestAborted);
        return owner is { } person && acting.MayActFor(person) && await IsThere(acting, person)
            ? (acting, new OwnedKey(acting.Tenant, person, id), null)
            : (null, default, Refusal.NotFound("session"));
    }

    /// <summary>The grains of what was a person's may outlive the person for a while, and nobody tells them all; the user's own knows.</summary>
    public async ValueTask<bool> IsThere(Acting acting, Guid person) => await grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, person)).Get() is not null;

    public IFocusSessionGrain Session(OwnedKey key) => grains.Of<IFocusSessionGrain>(key);

    public ICompanionGrain Companion(Acting acting, Guid person) => grains.Of<ICompanionGrain>(new TenantScopedKey(acting.Tenant, person));

    /// <summary>All sessions of a person, through which they begin and end.</summary>
    public IPersonSessionsGrain OfPerson(Acting acting, Guid person) => grains.Of<IPersonSessionsGrain>(new TenantScopedKey(acting.Tenant, person));

    /// <summary>A session with the server's clock beside it, so that every screen counts the same.</summary>
    public IResult Answer(Outcome<FocusSessionView> outcome) => outcome.Value is not { } view
        ? outcome.ToResult()
        : new SessionResult(WithClock(view), outcome.Kind == OutcomeKind.Created ? 201 : 200, null, $"/v1/focus/sessions/{view.Id}");

    public IResult Answer(Read<FocusSessionView> read)
    {
        var body = WithClock(read.Value);
        body["cursor"] = new JsonObject { ["epoch"] = read.Epoch, ["seq"] = read.Seq };
        return new SessionResult(body, 200, $"{read.Epoch}:{read.Seq}", null);
    }

    private JsonObject WithClock(FocusSessionView view)
    {
        var body = JsonSerializer.SerializeToNode(view, Wire.Json)!.AsObject();
        body["now"] = time.GetUtcNow();
        return body;
    }

    private sealed class SessionResult(JsonObject body, int status, string? cursor, string? location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            if (cursor is not null)
            {
                response.Headers[Answers.CursorHeader] = cursor;
            }

            if (status == 201)
            {
                response.Headers.Location = location;
            }

            return response.WriteAsJsonAsync(body, Wire.Json);
        }
    }
}
