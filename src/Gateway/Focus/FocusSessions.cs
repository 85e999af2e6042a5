using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Gateway.Focus;

/// <summary>A session as it is answered: with the server's clock beside it.</summary>
[Extends(typeof(FocusSessionView))]
public sealed record TimedSession(DateTimeOffset Now);

/// <summary>The way from a request to a session or a person, shared by the native routes and those of the founding document.</summary>
public sealed class FocusSessions(ActingResolver who, FocusStore store, IGrainFactory grains, Clock time)
{
    private static readonly Refusal NoSession = Refusal.NotFound("session");

    public Clock Time => time;

    /// <summary>The session a path names, of a person the caller may act for; any other is, like one that isn't there, not found.</summary>
    public async Task<(Acting? Acting, OwnedKey Key, Refusal? Refusal)> Find(HttpContext http, Guid id)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return (null, default, refusal);
        }

        // The table is asked whose it is, also where only one could be meant: the grains of what was a person's may outlive them for a while.
        var owner = acting!.MayActForAnybody ? await store.FindOwner(acting.Tenant, id, http.RequestAborted) : null;
        refusal = owner is { } person ? await who.Check(acting, person) : acting.MayActForAnybody ? NoSession : ActingResolver.MayNotDelegate;
        return refusal is null ? (acting, new OwnedKey(acting.Tenant, owner!.Value, id), null) : (null, default, refusal.Kind == RefusalKind.NotFound ? NoSession : refusal);
    }

    public IFocusSessionGrain Session(OwnedKey key) => grains.Of<IFocusSessionGrain>(key);

    public ICompanionGrain Companion(Acting acting, Guid person) => grains.Of<ICompanionGrain>(new TenantScopedKey(acting.Tenant, person));

    /// <summary>All sessions of a person, through which they begin and end.</summary>
    public IPersonSessionsGrain OfPerson(Acting acting, Guid person) => grains.Of<IPersonSessionsGrain>(new TenantScopedKey(acting.Tenant, person));

    /// <summary>A session with the server's clock beside it, so that every screen counts the same.</summary>
    public IResult Answer(Outcome<FocusSessionView> outcome) => outcome.Value is not { } view
        ? outcome.ToResult()
        : outcome.Kind == OutcomeKind.Created
            ? new EntityResult(WithClock(view), StatusCodes.Status201Created, outcome.At, $"/v1/focus/sessions/{view.Id}")
            : new EntityResult(WithClock(view), StatusCodes.Status200OK, outcome.At);

    public IResult Answer(Read<FocusSessionView> read) => new EntityResult(WithClock(read.Value), StatusCodes.Status200OK, new StreamCursor(read.Epoch, read.Seq));

    private JsonObject WithClock(FocusSessionView view)
    {
        var body = JsonSerializer.SerializeToNode(view, Wire.Json)!.AsObject();
        body["now"] = time.GetUtcNow();
        return body;
    }
}
