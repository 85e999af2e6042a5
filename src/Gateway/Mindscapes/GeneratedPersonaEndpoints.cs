using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

public sealed record GenerateBody(string? Person, string? Mapper, JsonObject? Context, int? TtlHours);

public sealed record FeedbackBody(Guid? PersonaId, int? Rating, bool? Helpful, JsonObject? Context, string? RuleId, string? ClientId);

/// <summary>Personas made for agents, and what people say of them.</summary>
public static class GeneratedPersonaEndpoints
{
    public static readonly Refusal Expired = new(RefusalKind.Gone, MindscapeRefusals.PersonaExpired, "Persona has expired");

    public static void MapGeneratedPersonas(this IEndpointRouteBuilder routes)
    {
        var personas = routes.MapGroup("/v1/generated-personas").WithTags("Mindscapes");
        personas.MapPost("", Generate).WithSummary("Makes a persona of what is known of a person, by a mapper, for a time").Produces<GeneratedPersonaView>(201).ProducesProblem(404).ProducesProblem(422);
        personas.MapGet("", List).WithSummary("Lists generated personas, the newest first; with ?active=true those that hold").Produces<Page<GeneratedPersonaView>>();
        personas.MapGet("{id:guid}", Get).WithSummary("A generated persona; gone once it has expired").Produces<GeneratedPersonaView>().ProducesProblem(404).ProducesProblem(410);
        var feedback = routes.MapGroup("/v1/feedback").WithTags("Mindscapes");
        feedback.MapPost("", AddFeedback).WithSummary("Says whether a generated persona, or a suggestion of it, was of use").Produces<FeedbackView>(201).Produces<FeedbackView>().ProducesProblem(404).ProducesProblem(429);
        feedback.MapGet("", ListFeedback).WithSummary("Lists feedback, the newest first").Produces<Page<FeedbackView>>();
        feedback.MapGet("analytics", Analytics).WithSummary("What was said over the last days, of a person's personas or of a mapper's").Produces<JsonObject>();
    }

    private static async Task<IResult> Generate(HttpContext http, GenerateBody body, MindscapeAccess mindscapes)
    {
        var (acting, person, refusal) = await mindscapes.Find(http, body.Person);
        if (refusal is null && string.IsNullOrWhiteSpace(body.Mapper))
        {
            refusal = Refusal.Invalid("mapper", "'mapper' is required: the mapper's own id.");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var request = new PersonaRequest(body.Mapper!, new JsonText((body.Context ?? []).ToJsonString(Wire.Json)), body.TtlHours);
        return (await mindscapes.Run<GeneratedPersonaView>(http, acting!, body, command => mindscapes.Of(acting!, person).Generate(command, request)))
            .ToResult(made => $"/v1/generated-personas/{made.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? person, bool? active, MindscapeAccess mindscapes, GeneratedPersonaStore store, Clock time)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (_, scope, of, refusal) = await mindscapes.Scope(http, person);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(
                await store.List(scope, of, active is true ? time.GetUtcNow() : null, page.After == Guid.Empty ? null : page.After, page.Limit + 1, 0, http.RequestAborted),
                page.Limit, persona => persona.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, MindscapeAccess mindscapes, GeneratedPersonaStore store, Clock time)
    {
        var (_, scope, _, refusal) = await mindscapes.Scope(http, null);
        return refusal is not null || await store.Find(scope, id, http.RequestAborted) is not { } persona ? (refusal ?? Refusal.NotFound("persona")).ToResult()
            : persona.ExpiresAt <= time.GetUtcNow() ? Expired.ToResult()
            : Results.Json(persona, Wire.Json);
    }

    private static async Task<IResult> AddFeedback(HttpContext http, FeedbackBody body, MindscapeAccess mindscapes, GeneratedPersonaStore store)
    {
        var (acting, scope, _, refusal) = await mindscapes.Scope(http, null);
        if (refusal is null && body.PersonaId is null)
        {
            refusal = Refusal.Invalid("personaId", "'personaId' is required.");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        if (await store.Find(scope, body.PersonaId!.Value, http.RequestAborted) is not { } persona)
        {
            return Refusal.NotFound("persona").ToResult();
        }

        var given = new NewFeedback(body.PersonaId!.Value, body.Rating, body.Helpful, new JsonText((body.Context ?? []).ToJsonString(Wire.Json)), body.RuleId, body.ClientId);
        return (await mindscapes.Run<FeedbackView>(http, acting!, body, command => mindscapes.Of(acting!, persona.PersonId).AddFeedback(command, given))).ToResult();
    }

    private static async Task<IResult> ListFeedback(HttpContext http, string? person, MindscapeAccess mindscapes, FeedbackStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (_, scope, of, refusal) = await mindscapes.Scope(http, person);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.List(scope, of, page.After == Guid.Empty ? null : page.After, page.Limit + 1, http.RequestAborted), page.Limit, one => one.Id.ToString());
    }

    private static async Task<IResult> Analytics(HttpContext http, string? person, string? mapper, int? days, MindscapeAccess mindscapes, FeedbackStore store, Clock time)
    {
        var (_, scope, of, refusal) = await mindscapes.Scope(http, person);
        if (refusal is null && days is < 1 or > 365)
        {
            refusal = Refusal.Invalid("days", "'days' is from 1 to 365.");
        }

        if (refusal is null && person is null && mapper is null)
        {
            refusal = Refusal.Invalid("person", "Either 'person' or 'mapper' is required.");
        }

        return refusal is not null ? refusal.ToResult() : Results.Json(await FeedbackReport.Of(store, scope, person is null ? null : of, mapper, days ?? 7, time.GetUtcNow(), http.RequestAborted), Wire.Json);
    }
}

/// <summary>What was said over some days.</summary>
public static class FeedbackReport
{
    public static async Task<JsonObject> Of(FeedbackStore store, RowScope scope, Guid? person, string? mapper, int days, DateTimeOffset now, CancellationToken cancel)
    {
        var since = now.AddDays(-days);
        var counts = await store.Counts(scope, person ?? scope.User, person is null ? mapper : null, since, cancel);
        if (person is { } id)
        {
            return new JsonObject
            {
                ["periodDays"] = days,
                ["totalFeedback"] = counts.Total,
                ["positive"] = counts.Positive,
                ["negative"] = counts.Negative,
                ["neutral"] = counts.Neutral,
                ["positiveRate"] = Rate(counts.Positive, counts.Total),
                ["bySuggestionType"] = new JsonObject((await store.ByType(scope, id, since, cancel)).Select(type => KeyValuePair.Create<string, JsonNode?>(type.Type, new JsonObject
                {
                    ["total"] = type.Total,
                    ["positive"] = type.Positive,
                    ["negative"] = type.Negative,
                    ["neutral"] = type.Neutral,
                }))),
                ["averageRating"] = counts.AverageRating is { } rating ? Math.Round(rating, 2) : null,
            };
        }

        return new JsonObject
        {
            ["mapperId"] = mapper,
            ["periodDays"] = days,
            ["totalPersonas"] = await store.Personas(scope, mapper!, since, cancel),
            ["totalFeedback"] = counts.Total,
            ["positive"] = counts.Positive,
            ["negative"] = counts.Negative,
            ["neutral"] = counts.Neutral,
            ["positiveRate"] = Rate(counts.Positive, counts.Total),
            ["negativeRate"] = Rate(counts.Negative, counts.Total),
        };
    }

    private static double Rate(long part, long of) => of == 0 ? 0 : Math.Round((double)part / of, 3);
}
