using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

/// <param name="Person">By id or provider:subject; whom the caller acts for where there is none.</param>
/// <param name="Type">A self-observation where it isn't said.</param>
public sealed record NarrativeBody(
    string? Person, NarrativeType? Type, string? Text, Items<string>? Tags, JsonObject? Context, string? Source, string? ClientId, JsonObject? Traits,
    string? TraitPath, CurationAction? Action, JsonElement? OriginalValue, JsonElement? Value)
{
    public NewNarrative ToNew() => new(
        Type ?? NarrativeType.SelfObservation, Text ?? "", Tags, Context is null ? JsonText.EmptyObject : JsonText.From(Context), Source, ClientId, Traits is null ? null : JsonText.From(Traits), TraitPath, Action,
        OriginalValue is { ValueKind: not JsonValueKind.Undefined } original ? JsonText.From(original) : null,
        Value is { ValueKind: not JsonValueKind.Undefined and not JsonValueKind.Null } value ? JsonText.From(value) : null);
}

public sealed record NarrativeChangeBody(string? Text, string? CuratedText, Items<string>? Tags, JsonObject? Context)
{
    public NarrativeChange ToChange() => new(Text, CuratedText, Tags, Context is null ? null : JsonText.From(Context));
}

public sealed record SearchBody(string? Person, string? Query, SearchMode? Mode, int? Limit, double? MinSimilarity, Items<NarrativeType>? Types);

/// <param name="Mode">As it was done: by words alone, if the query couldn't be embedded at the moment.</param>
public sealed record SearchAnswer(string Query, SearchMode Mode, IReadOnlyList<NarrativeFound> Results, double SearchTimeMs);

/// <summary>What people say in words.</summary>
public static class NarrativeEndpoints
{
    public const int MaxResults = 100;

    public static void MapNarratives(this IEndpointRouteBuilder routes)
    {
        var narratives = routes.MapGroup("/v1/narratives").WithTags("Mindscapes");
        narratives.MapPost("", Add).WithSummary("Keeps what somebody says of a person in words, or curates a trait; with a clientId once")
            .Produces<NarrativeView>(201).Produces<NarrativeView>().ProducesProblem(400).ProducesProblem(409);
        narratives.MapGet("", List).WithSummary("Lists narratives, the newest first").Produces<Page<NarrativeView>>();
        narratives.MapGet("{id:guid}", Get).WithSummary("A narrative").Produces<NarrativeView>().ProducesProblem(404);
        narratives.MapPut("{id:guid}", Change).WithSummary("Changes a narrative; what isn't given stays").Produces<NarrativeView>().ProducesProblem(404).ProducesProblem(412);
        narratives.MapDelete("{id:guid}", Forget).WithSummary("Forgets a narrative and all that followed from it").Produces(204).ProducesProblem(404);
        routes.MapPost("/v1/narratives:search", Search).WithTags("Mindscapes").WithSummary("Finds what a person said that is near to a query, by meaning, by words, or by both")
            .WritesNothing().Produces<SearchAnswer>().ProducesProblem(400);
    }

    private static async Task<IResult> Add(HttpContext http, NarrativeBody body, MindscapeAccess mindscapes)
    {
        var (acting, person, refusal) = await mindscapes.Find(http, body.Person);
        return refusal is not null ? refusal.ToResult() : (await mindscapes.Add(http, acting!, person, body.ToNew())).ToResult(made => $"/v1/narratives/{made.Id}");
    }

    private static async Task<IResult> List(HttpContext http, string? person, string? type, string? tag, string? traitPath, MindscapeAccess mindscapes, NarrativeStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (_, scope, of, refusal) = await mindscapes.Scope(http, person);
        var (only, unknown) = QueryWord.Read<NarrativeType>("type", type);
        refusal ??= invalid ?? unknown ?? Text.CheckOptional("tag", tag, NarrativeRules.MaxTag) ?? Text.CheckOptional("traitPath", traitPath, ObservationRules.MaxPath);
        return refusal is not null
            ? refusal.ToResult()
            : Answers.Page(
                await store.List(scope, of, only, tag, traitPath, page.After == Guid.Empty ? null : page.After, page.Limit + 1, 0, http.RequestAborted),
                page.Limit, narrative => narrative.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, MindscapeAccess mindscapes, NarrativeStore store)
    {
        var (_, scope, _, refusal) = await mindscapes.Scope(http, null);
        return refusal is null && await store.Find(scope, id, http.RequestAborted) is { } narrative ? Answers.Entity(narrative) : (refusal ?? Refusal.NotFound("narrative")).ToResult();
    }

    private static async Task<IResult> Change(HttpContext http, Guid id, NarrativeChangeBody body, MindscapeAccess mindscapes) =>
        (await mindscapes.Change(http, id, body.ToChange())).ToResult();

    private static async Task<IResult> Forget(HttpContext http, Guid id, MindscapeAccess mindscapes) => (await mindscapes.ForgetNarrative(http, id)).ToResult();

    private static async Task<IResult> Search(HttpContext http, SearchBody body, MindscapeAccess mindscapes, NarrativeSearch search, TimeProvider time)
    {
        var (acting, person, refusal) = await mindscapes.Find(http, body.Person);
        refusal ??= Text.CheckRequired("query", body.Query, NarrativeRules.MaxQuery) ?? Text.CheckRange("limit", body.Limit, 1, MaxResults) ?? Text.CheckRange("minSimilarity", body.MinSimilarity, 0, 1);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var since = time.GetTimestamp();
        var found = await search.Find(
            acting!.Tenant, person, new NarrativeAsked(body.Query!, body.Mode ?? SearchMode.Hybrid, body.Limit ?? 10, body.MinSimilarity, body.Types), http.RequestAborted);
        return Results.Json(new SearchAnswer(body.Query!, found.Mode, found.Results, Math.Round(time.GetElapsedTime(since).TotalMilliseconds, 3)), Wire.Json);
    }
}
