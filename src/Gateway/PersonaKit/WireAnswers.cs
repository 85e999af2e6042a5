using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>Answers as the first server's clients know them: snake_case, and every refusal under "detail".</summary>
public static class WireAnswers
{
    public const string Prefix = "/personakit";

    private static readonly JsonSerializerOptions Snake = new(Wire.Json) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static bool IsFor(HttpContext http) => http.Request.Path.StartsWithSegments(Prefix);

    public static bool IsUpload(HttpRequest request) =>
        request.Path.StartsWithSegments(Prefix, out var rest) && rest.Value!.TrimEnd('/').EndsWith("/upload", StringComparison.Ordinal);

    public static IResult Json(object value, int status = 200) => Results.Json(value, Snake, statusCode: status);

    /// <summary>As <see cref="Json"/>, of what has its native names by now.</summary>
    public static IResult Snaked(JsonObject native) => Results.Json(
        new JsonObject(native.Select(member => KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Key), member.Value?.DeepClone()))), Snake);

    public static IResult Of(int status, JsonNode detail) => Results.Json(new JsonObject { ["detail"] = detail }, Snake, statusCode: status);

    public static IResult ToWire(this Refusal refusal) => refusal.Code switch
    {
        MindscapeRefusals.InvalidMapper => Of(400, new JsonObject
        {
            ["message"] = "Invalid configuration",
            ["errors"] = refusal.Extra is { } extra ? JsonNode.Parse(extra.Json)!["errors"]?.DeepClone() : new JsonArray(),
        }),
        _ => Of(Problems.Status(refusal.Kind), refusal.Detail),
    };

    /// <summary>Creates answer 200, like everything else.</summary>
    public static IResult ToWire<T>(this Outcome<T> outcome, Func<T, object> body)
        where T : class => outcome.Value is { } value ? Json(body(value)) : outcome.Refusal!.ToWire();

    /// <summary>What this side of the service says of failures that aren't its own.</summary>
    public static Task Write(HttpContext http, ProblemDetails problem)
    {
        http.Response.StatusCode = problem.Status!.Value;
        var detail = problem.Status switch
        {
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => problem.Detail,
        };
        return http.Response.WriteAsJsonAsync(new { detail }, Snake);
    }

    public static object Of(ObservationView it) => new
    {
        it.PersonId,
        it.Type,
        ObservationType = it.Type,
        it.Content,
        Meta = it.Metadata,
        it.Metadata,
        it.Id,
        it.CreatedAt,
    };

    public static object Of(GeneratedPersonaView it)
    {
        var metadata = JsonNode.Parse(it.Metadata.Json)!.AsObject();
        metadata["stale"] = it.Stale;
        metadata["narrative_usage"] ??= new JsonArray();
        var said = (JsonNode.Parse(it.Overlay.Json)?["suggestions"] as JsonArray)?.SelectMany(suggestion => suggestion?["narrative_context"] as JsonArray ?? [])
            .DistinctBy(narrative => (string?)narrative?["narrative_id"]).Select(narrative => narrative?.DeepClone()).ToArray();
        return new
        {
            it.Id,
            it.PersonId,
            it.MapperId,
            it.MapperConfigId,
            it.MapperVersion,
            it.Core,
            it.Overlay,
            it.ExpiresAt,
            it.CreatedAt,
            NarrativeContext = said is { Length: > 0 } ? new JsonArray(said) : null,
            Metadata = metadata,
        };
    }

    public static object Of(FeedbackView it) => new { it.Id, it.PersonaId, it.Rating, it.Helpful, it.Context, it.RuleId, it.MapperVersion, it.CreatedAt };

    public static object Of(NarrativeView it) => new
    {
        it.Id,
        it.PersonId,
        NarrativeType = NarrativeStore.WordOf(it.Type),
        RawText = it.Text,
        it.CuratedText,
        it.Tags,
        it.Context,
        it.TraitPath,
        CurationAction = it.Action is { } action ? new { Action = NarrativeStore.WordOf(action), it.OriginalValue } : null,
        it.Source,
        it.EmbeddingGenerated,
        it.Version,
        it.CreatedAt,
        it.UpdatedAt,
    };

    public static object Of(MapperVersionView it) => new { it.Id, it.ConfigId, it.Version, it.Configuration, it.Status, it.UsageCount, it.CreatedAt, it.UpdatedAt, it.CreatedBy };

    public static object Of(MindscapeView it) => new { it.PersonId, Traits = TraitJson.Write(it.Traits), it.Version, it.UpdatedAt };
}
