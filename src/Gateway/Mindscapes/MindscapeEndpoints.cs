using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

/// <param name="Version">Of the mindscape that it replaces.</param>
public sealed record MindscapeBody(JsonObject? Traits, long? Version);

public sealed record LearningBody(bool? Paused);

/// <param name="AsOf">Where it was asked for as it stood at a moment.</param>
[Extends(typeof(MindscapeView))]
public sealed record MindscapeAnswer(DateTimeOffset? AsOf);

public sealed record TraitAnswer(string Path, JsonText Value, double Confidence, int SampleSize, DateTimeOffset? FirstSeen, DateTimeOffset? LastSeen, double Weight, string? Source, long Version);

public sealed record TraitReasons(string Path, JsonText Value, double Confidence, int SampleSize, long Version, IReadOnlyList<TraitShare> Because);

/// <summary>A change of a trait, which is told beside these.</summary>
[HasMore]
public sealed record TraitVersion(long Version, JsonText Cause, DateTimeOffset At, DateTimeOffset RecordedAt);

public static class MindscapeEndpoints
{
    private static readonly Refusal None = new(RefusalKind.NotFound, "mindscape_not_found", "Nothing is known of this person.");
    private static readonly Refusal NoTrait = Refusal.NotFound("trait");

    public static void MapMindscapes(this IEndpointRouteBuilder routes)
    {
        var mindscapes = routes.MapGroup("/v1/mindscapes/{person}").WithTags("Mindscapes");
        mindscapes.MapGet("", Get).WithSummary("What is known of a person; with ?asOf= as it stood then").Produces<MindscapeAnswer>().ProducesProblem(404);
        mindscapes.MapPut("", Set).WithSummary("Sets what is known of a person; with 'version' only if it is that one").Produces<MindscapeView>().ProducesProblem(409);
        mindscapes.MapPut("learning", SetLearning).WithSummary("Pauses learning, or resumes it").Produces<MindscapeView>();
        mindscapes.MapGet("history", History).WithSummary("Every version with its cause, the newest first").Produces<Page<MindscapeVersion>>();
        mindscapes.MapGet("traits/{path}", GetTrait).WithSummary("A trait").Produces<TraitAnswer>().ProducesProblem(404);
        mindscapes.MapGet("traits/{path}/why", Why).WithSummary("What made a trait what it is, each with its share").Produces<TraitReasons>().ProducesProblem(404);
        mindscapes.MapGet("traits/{path}/history", TraitHistory).WithSummary("Every change of a trait with its cause, by the time that it is about, the newest first").Produces<Page<TraitVersion>>();
    }

    private static async Task<IResult> Get(HttpContext http, string person, string? asOf, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        if (refusal is null && asOf is not null)
        {
            if (!DateTimeOffset.TryParse(asOf, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var then))
            {
                return Refusal.Invalid("asOf", "'asOf' is a time, as in 2026-05-04T10:00:00Z.").ToResult();
            }

            var (traits, changes) = TraitFold.Fold(TraitFold.Nothing, await store.All(acting!.Tenant, id, then, http.RequestAborted));
            return changes.Count == 0
                ? None.ToResult()
                : Results.Json(new
                {
                    personId = id,
                    traits,
                    version = changes[^1].Entry.Number,
                    learningPaused = (await mindscapes.Of(acting, id).Get())?.Value.LearningPaused ?? false,
                    updatedAt = changes[^1].Entry.CreatedAt,
                    asOf = then,
                }, Wire.Json);
        }

        return refusal is null && await mindscapes.IsThere(acting!, id) && await mindscapes.Of(acting!, id).Get() is { Value.Version: > 0 } read
            ? read.ToResult()
            : (refusal ?? None).ToResult();
    }

    private static async Task<IResult> Set(HttpContext http, string person, MindscapeBody body, MindscapeAccess mindscapes)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        if (refusal is null && body.Traits is null)
        {
            refusal = Refusal.Invalid("traits", "'traits' is required: {path: value}, or {path: {value, confidence, sampleSize}}.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await mindscapes.Run<MindscapeView>(http, acting!, body, command =>
                mindscapes.Of(acting!, id).SetTraits(command, new JsonText(body.Traits!.ToJsonString(Wire.Json)), body.Version))).ToResult();
    }

    private static async Task<IResult> SetLearning(HttpContext http, string person, LearningBody body, MindscapeAccess mindscapes)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        if (refusal is null && body.Paused is null)
        {
            refusal = Refusal.Invalid("paused", "'paused' is true or false.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await mindscapes.Run<MindscapeView>(http, acting!, body, command => mindscapes.Of(acting!, id).SetLearning(command, body.Paused!.Value))).ToResult();
    }

    private static async Task<IResult> History(HttpContext http, string person, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        var (limit, before, invalid) = ReadPage(http);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.History(acting!.Tenant, id, before, limit + 1, http.RequestAborted), limit, version => $"{version.Version}");
    }

    private static async Task<IResult> GetTrait(HttpContext http, string person, string path, MindscapeAccess mindscapes)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        return refusal is null && await mindscapes.IsThere(acting!, id)
            && await mindscapes.Of(acting!, id).Get() is { } read && read.Value.Traits.TryGetValue(path, out var trait)
                ? Results.Json(new TraitAnswer(path, trait.Value, trait.Confidence, trait.SampleSize, trait.FirstSeen, trait.LastSeen, trait.Weight, trait.Source, read.Value.Version), Wire.Json)
                : (refusal ?? NoTrait).ToResult();
    }

    private static async Task<IResult> Why(HttpContext http, string person, string path, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        if (refusal is not null || !await mindscapes.IsThere(acting!, id) || await mindscapes.Of(acting!, id).Get() is not { } read || !read.Value.Traits.TryGetValue(path, out var trait))
        {
            return (refusal ?? NoTrait).ToResult();
        }

        var entries = await store.All(acting!.Tenant, id, null, http.RequestAborted);
        return Results.Json(new TraitReasons(
            path, trait.Value, trait.Confidence, trait.SampleSize, read.Value.Version, TraitOrigin.Of(path, entries.Where(entry => entry.Number <= read.Value.Version))), Wire.Json);
    }

    private static async Task<IResult> TraitHistory(HttpContext http, string person, string path, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        var (limit, before, invalid) = ReadPage(http);
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var rows = await store.TraitHistory(acting!.Tenant, id, path, before, limit + 1, http.RequestAborted);
        var next = rows.Count > limit ? $"{rows[limit - 1].Version}" : null;
        var items = rows.Take(limit).OrderByDescending(row => row.ObservedAt).ThenByDescending(row => row.Version).Select(row =>
        {
            var item = JsonNode.Parse(row.Changes.Json)!.AsObject();
            item["version"] = row.Version;
            item["cause"] = JsonNode.Parse(row.Cause.Json);
            item["at"] = JsonSerializer.SerializeToNode(row.ObservedAt, Wire.Json);
            item["recordedAt"] = JsonSerializer.SerializeToNode(row.At, Wire.Json);
            return item;
        });
        return Results.Json(new { items, next }, Wire.Json);
    }

    /// <summary>Versions go down from the newest.</summary>
    private static (int Limit, long Before, Refusal? Refusal) ReadPage(HttpContext http)
    {
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var before = long.MaxValue;
        return http.Request.Query.TryGetValue("after", out var text) && !long.TryParse(text, out before) ? (limit, before, PageQuery.BadAfter) : (limit, before, invalid);
    }
}
