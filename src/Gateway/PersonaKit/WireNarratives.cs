using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Grains;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

public static class WireNarratives
{
    private const int Excerpt = 200;

    public static void MapWireNarratives(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/narratives/self-observation", Say);
        routes.MapPost("/narratives/curate", Curate);
        routes.MapPost("/narratives/curation", Curate);
        routes.MapPost("/narratives/search", Search);
        routes.MapGet("/narratives", List);
        routes.MapGet("/narratives/person/{person}", ListOf);
        routes.MapGet("/narratives/{id}", Get);
        routes.MapPut("/narratives/{id}", Change);
        routes.MapDelete("/narratives/{id}", Forget);
    }

    private static Task<IResult> Say(HttpContext http, MindscapeAccess mindscapes) => Add(http, mindscapes, static (body, given) => given, "Self-observation created successfully");

    private static Task<IResult> Curate(HttpContext http, MindscapeAccess mindscapes) => Add(http, mindscapes, static (body, given) =>
    {
        var path = body.Text("trait_path", isRequired: true, min: 1, max: ObservationRules.MaxPath);
        return given with
        {
            Type = NarrativeType.Curation,
            Traits = null,
            TraitPath = path,
            Action = body.Word<CurationAction>("action", isRequired: true),
            OriginalValue = body.Any("original_value", isRequired: true),
            Value = body.Any("corrected_value") ?? body.Any("new_value"),
        };
    }, null);

    private static async Task<IResult> Add(HttpContext http, MindscapeAccess mindscapes, Func<WireBody, NewNarrative, NewNarrative> read, string? message)
    {
        var body = await WireBody.Read(http);
        var person = body.Uuid("person_id", isRequired: true);
        var text = body.Text("raw_text", isRequired: true, max: NarrativeRules.MaxText);
        var context = body.Object("context") ?? JsonText.EmptyObject;
        var given = read(body, new NewNarrative(
            NarrativeType.SelfObservation, text ?? "", body.Texts("tags"), context, body.Text("source", max: 50), body.Text("client_id", min: 1, max: 200),
            body.Object("traits") ?? (context.Read<JsonObject>()["traits"] is JsonObject traits ? JsonText.From(traits) : null), null, null, null, null));
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            return WireAnswers.Of(400, "Text cannot be empty");
        }

        var (acting, id, refusal) = await mindscapes.Find(http, person!.Value.ToString());
        return refusal is not null
            ? refusal.ToWire()
            : (await mindscapes.Add(http, acting!, id, given)).ToWire(made => new
            {
                made.Id,
                Message = message ?? $"Curation for {given.TraitPath} created successfully",
                made.EmbeddingGenerated,
            });
    }

    private static async Task<IResult> Search(HttpContext http, MindscapeAccess mindscapes, NarrativeSearch search, TimeProvider time)
    {
        var body = await WireBody.Read(http);
        var person = body.Uuid("person_id", isRequired: true);
        var query = body.Text("query", isRequired: true, min: 1, max: NarrativeRules.MaxQuery);
        var limit = body.Int("limit", 1, NarrativeEndpoints.MaxResults) ?? 10;
        var least = body.Number("min_similarity", 0, 1, alias: "threshold");
        var types = body.Words<NarrativeType>(body.Has("narrative_types") ? "narrative_types" : "narrative_type");
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, id, refusal) = await mindscapes.Find(http, person!.Value.ToString());
        if (refusal is not null)
        {
            return refusal.ToWire();
        }

        var since = time.GetTimestamp();
        var found = await search.Find(acting!.Tenant, id, new NarrativeAsked(query!, SearchMode.Vector, limit, least, types), http.RequestAborted);
        return WireAnswers.Json(new
        {
            Query = query,
            Results = found.Results.Select(one => new
            {
                Narrative = WireAnswers.Of(one.Narrative),
                SimilarityScore = one.Similarity ?? 0,
                Excerpt = Text.Excerpt(one.Narrative.Text, Excerpt),
                MatchedBy = one.FoundBy,
            }),
            TotalFound = found.Results.Count,
            SearchTimeMs = Math.Round(time.GetElapsedTime(since).TotalMilliseconds, 3),
            Mode = found.Mode,
        });
    }

    private static Task<IResult> List(HttpContext http, MindscapeAccess mindscapes, NarrativeStore store) => ListOf(http, null, mindscapes, store);

    private static async Task<IResult> ListOf(HttpContext http, string? person, MindscapeAccess mindscapes, NarrativeStore store)
    {
        var query = WireBody.Query(http);
        var of = person is null ? query.Uuid("person_id") : Guid.TryParse(person, out var id) ? id : null;
        var type = query.Word<NarrativeType>(query.Has("narrative_type") ? "narrative_type" : "type");
        var (tag, path) = (query.Text("tag", max: NarrativeRules.MaxTag), query.Text("trait_path", max: ObservationRules.MaxPath));
        var (limit, offset) = (query.Int("limit", 1, 1000) ?? 100, query.Int("offset", 0, int.MaxValue) ?? 0);
        if (query.IsInvalid)
        {
            return query.Refuse();
        }

        if (person is not null && of is null)
        {
            return WireBody.Path("person_id", person);
        }

        var (_, scope, found, refusal) = await mindscapes.Scope(http, of?.ToString());
        return refusal is not null
            ? refusal.ToWire()
            : WireAnswers.Json((await store.List(scope, found, type, tag, path, null, limit, offset, http.RequestAborted)).Select(WireAnswers.Of));
    }

    private static async Task<IResult> Get(HttpContext http, string id, MindscapeAccess mindscapes, NarrativeStore store)
    {
        if (!Guid.TryParse(id, out var narrative))
        {
            return WireBody.Path("narrative_id", id);
        }

        var (_, scope, _, refusal) = await mindscapes.Scope(http, null);
        return refusal is not null ? refusal.ToWire()
            : await store.Find(scope, narrative, http.RequestAborted) is { } found ? WireAnswers.Json(WireAnswers.Of(found))
            : NotFound;
    }

    private static async Task<IResult> Change(HttpContext http, string id, MindscapeAccess mindscapes)
    {
        if (!Guid.TryParse(id, out var narrative))
        {
            return WireBody.Path("narrative_id", id);
        }

        var body = await WireBody.Read(http);
        var change = new NarrativeChange(
            body.Text("raw_text", max: NarrativeRules.MaxText), body.Text("curated_text", max: NarrativeRules.MaxText), body.Texts("tags"), body.Object("context"));
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        if (change.Text is { } text && string.IsNullOrWhiteSpace(text))
        {
            return WireAnswers.Of(400, "Text cannot be empty");
        }

        var outcome = await mindscapes.Change(http, narrative, change);
        return outcome.Refusal is { Kind: RefusalKind.NotFound } ? NotFound : outcome.ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> Forget(HttpContext http, string id, MindscapeAccess mindscapes)
    {
        if (!Guid.TryParse(id, out var narrative))
        {
            return WireBody.Path("narrative_id", id);
        }

        var outcome = await mindscapes.ForgetNarrative(http, narrative);
        return outcome.Refusal switch
        {
            null => Results.NoContent(),
            { Kind: RefusalKind.NotFound } => NotFound,
            var refusal => refusal.ToWire(),
        };
    }

    private static IResult NotFound => WireAnswers.Of(404, "Narrative not found");
}
