using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

/// <summary>The way from a request to a person's mindscape, shared by the native routes and those of the founding document.</summary>
public sealed partial class MindscapeAccess(
    ActingResolver who, UserStandings standings, Commands commands, NarrativeStore narratives, IEmbedder embedder, IGrainFactory grains)
{
    /// <summary>The person that a request is about. One that the caller may not act for is, like one that doesn't exist, not found.</summary>
    public async ValueTask<(Acting? Acting, Guid Person, Refusal? Refusal)> Find(HttpContext http, string? person)
    {
        var (acting, found, refusal) = await who.ActFor(http, person, mayBeNew: true);
        return person is null && refusal?.Code == ActingResolver.UserRequired.Code
            ? (null, default, Refusal.Invalid("person", "'person' is required: whom it is about, by id or provider:subject."))
            : (acting, found, refusal);
    }

    /// <summary>Whose rows the caller may read; of one person where one is named.</summary>
    public async ValueTask<(Acting? Acting, RowScope Scope, Guid? Person, Refusal? Refusal)> Scope(HttpContext http, string? person)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return (null, default, null, refusal);
        }

        if (person is null)
        {
            return acting!.User is { } own ? (acting, RowScope.OfUser(acting.Tenant, own), own, null)
                : acting.MayActForAnybody ? (acting, RowScope.OfTenant(acting.Tenant), null, null)
                : (null, default, null, ActingResolver.MayNotDelegate);
        }

        (acting, var found, refusal) = await who.ActFor(acting!, person, mayBeNew: true, http.RequestAborted);
        return refusal is null ? (acting, RowScope.OfUser(acting!.Tenant, found), found, null) : (null, default, null, refusal);
    }

    public IMindscapeGrain Of(Acting acting, Guid person) => grains.Of<IMindscapeGrain>(new TenantScopedKey(acting.Tenant, person));

    public IMapperGrain Mapper(Acting acting, string configId) => grains.Of<IMapperGrain>(MapperKey.Of(acting.Tenant, configId));

    /// <summary>The grains of what was a person's may outlive the person for a while; whether the user is there is known here.</summary>
    public async ValueTask<bool> IsThere(Acting acting, Guid person) => await standings.Of(acting.Tenant, person) != Standing.Unknown;

    public Task<Outcome<T>> Run<T>(HttpContext http, Acting acting, object? body, Func<Command, Task<Outcome<T>>> call)
        where T : class => commands.Run(http, acting, body, call);

    /// <summary>The request's own id is its sender's too, where no other is given.</summary>
    private static string? SenderId(HttpContext http, string? given) =>
        given ?? (http.Request.Headers[Commands.Header] is [{ Length: > 0 and <= Commands.MaxIdLength } key] ? key : null);

    /// <summary>One observation.</summary>
    public async Task<Outcome<ObservationView>> Record(HttpContext http, Acting acting, Guid person, NewObservation observation)
    {
        observation = observation with { ClientId = SenderId(http, observation.ClientId) };
        var outcome = await commands.Run<RecordedObservations>(http, acting, observation, command => Of(acting, person).Record(command, [observation]));
        return outcome.Value?.Results[0] switch
        {
            null => outcome.Refusal!,
            { Status: Recording.Refused, Refusal: { } refusal } => refusal,
            { Status: Recording.Recorded, Observation: { } recorded } => Outcome<ObservationView>.Created(recorded) with { At = outcome.At },
            var known => Outcome<ObservationView>.Done(known.Observation!) with { At = outcome.At },
        };
    }
}
