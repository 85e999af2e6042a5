using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Tenants;
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
        return owner is { } person && acting.MayActFor(person)
            ? (acting, new OwnedKey(acting.Tenant, person, id), null)
            : (null, default, Refusal.NotFound("session"));
    }

    public IFocusSessionGrain Session(OwnedKey key) => grains.Of<IFocusSessionGrain>(key);

    public ICompanionGrain Companion(Acting acting, Guid person) => grains.Of<ICompanionGrain>(new TenantScopedKey(acting.Tenant, person));

    /// <summary>A person whom nobody registered yet is, by a service or with auth off, on first use.</summary>
    public async Task<Refusal?> Ensure(Acting acting, Guid person)
    {
        var user = grains.Of<IUserGrain>(new TenantScopedKey(acting.Tenant, person));
        if (await user.Get() is not null)
        {
            return null;
        }

        if (acting.Caller.Kind != ApiKeyKind.Service && acting.Caller.KeyId != Guid.Empty)
        {
            return Refusal.NotFound("user");
        }

        var command = new Command(Guid.NewGuid().ToString("N"), acting.Caller.KeyId, new string('0', 64), acting.Actor);
        return (await user.Register(command, new UserRegistration($"User {person}", null, null, [], IsPlaceholder: true))).Refusal;
    }

    /// <summary>Habit and memory right after the end. If this fails the outbox does it a moment later.</summary>
    public async Task Settle(OwnedKey key)
    {
        try
        {
            await grains.Of<ICompanionGrain>(new TenantScopedKey(key.Tenant, key.Owner)).NoteEnded(key.Id);
        }
        catch (Exception e) when (e is ActivationOutdatedException or StorageUnavailableException or TimeoutException)
        {
        }
    }

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
