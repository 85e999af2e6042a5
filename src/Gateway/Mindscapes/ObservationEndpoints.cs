using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

/// <param name="Person">By id or provider:subject; whom the caller acts for where there is none.</param>
public sealed record ObservationBody(
    string? Person, string? Type, JsonObject? Content, JsonObject? Metadata, string? Source, string? ClientId, DateTimeOffset? ObservedAt)
{
    public NewObservation ToNew() => new(Type ?? "", JsonText.From(Content ?? []), JsonText.From(Metadata ?? []), Source, ClientId, ObservedAt);
}

public sealed record ObservationsBody(Items<ObservationBody>? Observations);

/// <summary>What became of one of many.</summary>
public sealed record ObservationsAnswer(IReadOnlyList<ObservationOutcome> Results);

public sealed record ObservationOutcome(Recording Status, Guid? Id, long? Number, string? Code, string? Detail, string? Field);

public static class ObservationEndpoints
{
    public static void MapObservations(this IEndpointRouteBuilder routes)
    {
        var observations = routes.MapGroup("/v1/observations").WithTags("Mindscapes");
        observations.MapPost("", Record).WithSummary("Records something that was observed of a person; with a clientId or an Idempotency-Key once")
            .Produces<ObservationView>(201).Produces<ObservationView>().ProducesProblem(400).ProducesProblem(409);
        observations.MapGet("", List).WithSummary("Lists observations, the newest first; of one person with ?person=").Produces<Page<ObservationView>>();
        observations.MapDelete("{id:guid}", Forget).WithSummary("Forgets an observation and all that followed from it").Produces(204).ProducesProblem(404);
        routes.MapPost("/v1/observations:batch", RecordMany).WithTags("Mindscapes").WithSummary("Records up to 1,000 observations, each with its own outcome").Produces<ObservationsAnswer>();
    }

    private static async Task<IResult> Record(HttpContext http, ObservationBody body, MindscapeAccess mindscapes)
    {
        var (acting, person, refusal) = await mindscapes.Find(http, body.Person);
        return refusal is not null
            ? refusal.ToResult()
            : (await mindscapes.Record(http, acting!, person, body.ToNew())).ToResult(made => $"/v1/observations/{made.Id}");
    }

    private static async Task<IResult> RecordMany(HttpContext http, ObservationsBody body, ActingResolver who, MindscapeAccess mindscapes, Commands commands)
    {
        var all = body.Observations ?? [];
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is null && all.Count is 0 or > ObservationRules.MaxBatch)
        {
            refusal = Refusal.Invalid("observations", $"'observations' is a list of 1 to {ObservationRules.MaxBatch:N0}.");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var outcomes = new ObservationOutcome[all.Count];
        var people = new Dictionary<Guid, List<int>>();
        var named = new Dictionary<string, Guid?>(StringComparer.Ordinal);
        for (var i = 0; i < all.Count; i++)
        {
            if (await PersonOf(http, acting!, all[i].Person, named, who) is { } person)
            {
                if (!people.TryGetValue(person, out var theirs))
                {
                    people[person] = theirs = [];
                }

                theirs.Add(i);
            }
            else
            {
                outcomes[i] = ToOutcome(all[i].Person is null && acting!.User is null
                    ? Refusal.Invalid("person", "'person' is required: whom it is about, by id or provider:subject.")
                    : Refusal.NotFound("user"));
            }
        }

        // A person's part is one transaction, with an answer of its own under the request's id.
        foreach (var (person, theirs) in people)
        {
            var part = theirs.Select(i => all[i].ToNew()).ToItems();
            var outcome = await commands.Run<RecordedObservations>(
                http, acting!, part, command => mindscapes.Of(acting!, person).Record(command, part), people.Count > 1 ? person.ToString() : null);
            for (var i = 0; i < theirs.Count; i++)
            {
                outcomes[theirs[i]] = outcome.Value?.Results[i] is { } result
                    ? result.Refusal is { } refused ? ToOutcome(refused) : new ObservationOutcome(result.Status, result.Observation!.Id, result.Observation.Number, null, null, null)
                    : ToOutcome(outcome.Refusal!);
            }
        }

        return Results.Json(new ObservationsAnswer(outcomes), Wire.Json);
    }

    private static async ValueTask<Guid?> PersonOf(HttpContext http, Acting acting, string? text, Dictionary<string, Guid?> named, ActingResolver who)
    {
        if (text is null)
        {
            return acting.User;
        }

        if (!named.TryGetValue(text, out var known))
        {
            known = await who.FindUser(acting, text, http.RequestAborted);
            named[text] = known = known is { } found && await who.Check(acting, found) is null ? found : null;
        }

        return known;
    }

    private static ObservationOutcome ToOutcome(Refusal refusal) => new(Recording.Refused, null, null, refusal.Code, refusal.Detail, refusal.Field);

    private static async Task<IResult> List(HttpContext http, string? person, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var (_, scope, of, refusal) = await mindscapes.Scope(http, person);
        var after = http.Request.Query["after"].ToString();
        // Of one person the cursor is a number; of several how many were seen, since their numbers say nothing of each other.
        long place = 0;
        if (after.Length > 0 && (!long.TryParse(after, out place) || place < 0))
        {
            invalid ??= PageQuery.BadAfter;
        }

        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var rows = await store.List(scope, of, of is not null && after.Length > 0 ? place : null, limit + 1, of is null ? (int)Math.Min(place, int.MaxValue) : 0, http.RequestAborted);
        return Answers.Page(rows, limit, row => of is null ? $"{place + limit}" : $"{row.Number}");
    }

    private static async Task<IResult> Forget(HttpContext http, Guid id, ActingResolver who, Commands commands, MindscapeAccess mindscapes, MindscapeStore store) =>
        (await commands.RunOwned<Nothing>(http, null, null, who,
            acting => who.OwnerOf(acting, () => store.FindOwner(acting.Tenant, id, http.RequestAborted), Refusal.NotFound("observation")),
            (acting, person, command) => mindscapes.Of(acting, person).ForgetObservation(command, id))).ToResult();
}
