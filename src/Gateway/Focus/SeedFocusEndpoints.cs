using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Focus;

/// <summary>
/// The three calls of the founding document, unchanged: snake_case, unknown fields tolerated, 422 for what is not valid.
/// A start always takes over, except from the same start that arrived at the same time: both are answered with its session.
/// </summary>
public static class SeedFocusEndpoints
{
    private static readonly JsonSerializerOptions Snake = new(Wire.Json)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
    };

    private sealed record StartBody(Guid? PersonId, Guid? TaskId, int? EstimatedDuration, FocusMode? Mode);

    private sealed record PingBody(Guid? SessionId, JsonObject? Biomarkers);

    private sealed record EndBody(Guid? SessionId, double? CompletionScore, JsonObject? SessionQuality, bool? EarlyEnd);

    private sealed record Begun(Guid SessionId, DateTimeOffset StartTime, StartState StartState, string Ack);

    private sealed record Noted(string Status);

    private sealed record Over(string Status, Guid SessionId);

    public static void MapSeedFocus(this IEndpointRouteBuilder routes)
    {
        var focus = routes.MapGroup("/focus").WithTags("Focus, as in the founding document").WithMetadata(new SnakeCased());
        focus.MapPost("start", Start).WithMetadata(new HandReadBody(typeof(StartBody))).WithSummary("Begins a session {person_id, task_id?, estimated_duration?, mode}").Produces<Begun>();
        focus.MapPost("ping", Ping).WithMetadata(new HandReadBody(typeof(PingBody))).WithSummary("Somebody is there {session_id, biomarkers?}").Produces<Noted>();
        focus.MapPost("end", End).WithMetadata(new HandReadBody(typeof(EndBody))).WithSummary("Ends a session {session_id, completion_score?, session_quality?, early_end}").Produces<Over>();
    }

    private static async Task<IResult> Start(HttpContext http, FocusSessions sessions, ActingResolver who, Commands commands)
    {
        var arrived = sessions.Time.GetUtcNow();
        var (body, refusal) = await Read<StartBody>(http);
        if (refusal is null && body!.PersonId is null)
        {
            refusal = Required("person_id");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        (var acting, var person, refusal) = await who.ActFor(http, body!.PersonId!.Value.ToString(), mayBeNew: true);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var start = new FocusStart(body.Mode ?? FocusMode.Deep, body.TaskId, body.EstimatedDuration, null, TakeOver: true, ArrivedAt: arrived);
        var outcome = await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.OfPerson(acting!, person).Start(command, start));
        if (outcome.Value is not { } session)
        {
            return Seed(outcome.Refusal!).ToResult();
        }

        return Results.Json(
            new Begun(session.Id, session.StartedAt, session.StartState, $"Okay, I'm here with you. Let's focus on {session.StartState.Task.Title}."), Snake);
    }

    private static async Task<IResult> Ping(HttpContext http, FocusSessions sessions, Commands commands)
    {
        var (body, refusal) = await Read<PingBody>(http);
        if (refusal is null && body!.SessionId is null)
        {
            refusal = Required("session_id");
        }

        var (biomarkers, invalid) = PingKeys.Read(body?.Biomarkers);
        if ((refusal ?? invalid) is { } no)
        {
            return Seed(no).ToResult();
        }

        (var acting, var key, refusal) = await sessions.Find(http, body!.SessionId!.Value);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var outcome = await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.Session(key).Ping(command, biomarkers!));
        return outcome.Refusal switch
        {
            null => Results.Json(new Noted("ok"), Snake),
            { Code: FocusRefusals.SessionEnded } => Refusal.NotFound("session").ToResult(),
            var refused => Seed(refused).ToResult(),
        };
    }

    private static async Task<IResult> End(HttpContext http, FocusSessions sessions, Commands commands)
    {
        var (body, refusal) = await Read<EndBody>(http);
        if (refusal is null && body!.SessionId is null)
        {
            refusal = Required("session_id");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        (var acting, var key, refusal) = await sessions.Find(http, body!.SessionId!.Value);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var end = new SessionEnd(
            body.CompletionScore, body.SessionQuality is { } quality ? new JsonText(quality.ToJsonString(Wire.Json)) : null, body.EarlyEnd ?? false);
        var outcome = await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.OfPerson(acting!, key.Owner).End(command, key.Id, end));
        if (outcome.Refusal is { } refused)
        {
            return Seed(refused).ToResult();
        }

        return Results.Json(new Over("ok", body.SessionId!.Value), Snake);
    }

    private static async Task<(T? Body, Refusal? Refusal)> Read<T>(HttpContext http)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(http.Request.Body, Snake, http.RequestAborted) is { } body
                ? (body, null)
                : (null, new Refusal(RefusalKind.Unprocessable, "invalid_json", "The body is a JSON object."));
        }
        catch (JsonException e)
        {
            var field = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;
            var expected = Snake.GetTypeInfo(typeof(T)).Properties.FirstOrDefault(property => property.Name == field)?.PropertyType;
            return (null, new Refusal(
                RefusalKind.Unprocessable, field is null ? "invalid_json" : "invalid_field",
                field is null ? "The body is no JSON of the expected form." : $"'{field}' {(expected is null ? "has a value of the wrong type" : $"is {BadJson.Described(expected)}")}.", field));
        }
    }

    private static Refusal Required(string field) => new(RefusalKind.Unprocessable, "invalid_field", $"'{field}' is required.", field);

    /// <summary>What isn't valid is 422 here, and names the field as it was sent.</summary>
    private static Refusal Seed(Refusal refusal)
    {
        if (refusal.Kind != RefusalKind.Invalid)
        {
            return refusal;
        }

        var sent = refusal.Field switch
        {
            null => null,
            "estimatedMinutes" => "estimated_duration",
            var field => JsonNamingPolicy.SnakeCaseLower.ConvertName(field),
        };
        return refusal with
        {
            Kind = RefusalKind.Unprocessable,
            Field = sent,
            Detail = sent is null ? refusal.Detail : refusal.Detail.Replace($"'{refusal.Field}'", $"'{sent}'", StringComparison.Ordinal),
        };
    }
}
