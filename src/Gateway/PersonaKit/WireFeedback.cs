using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

public static class WireFeedback
{
    public static void MapWireFeedback(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/feedback", Add);
        routes.MapGet("/feedback/analytics", Analytics);
    }

    private static async Task<IResult> Add(HttpContext http, MindscapeAccess mindscapes, GeneratedPersonaStore store)
    {
        var body = await WireBody.Read(http);
        var persona = body.Uuid("persona_id", isRequired: true);
        var given = new NewFeedback(
            persona ?? default, body.Int("rating", 1, 5), body.Flag("helpful"), body.Object("context") ?? JsonText.EmptyObject, body.Text("rule_id", max: MapperKey.MaxName),
            body.Text("client_id", min: 1, max: 200));
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, scope, _, refusal) = await mindscapes.Scope(http, null);
        return refusal is not null ? refusal.ToWire()
            : await store.Find(scope, given.PersonaId, http.RequestAborted) is not { } found ? WireAnswers.Of(404, $"Persona {given.PersonaId} not found")
            : (await mindscapes.Run<FeedbackView>(http, acting!, given, command => mindscapes.Of(acting!, found.PersonId).AddFeedback(command, given))).ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> Analytics(HttpContext http, MindscapeAccess mindscapes, FeedbackStore store, Clock time)
    {
        var query = WireBody.Query(http);
        var (person, mapper, days) = (query.Uuid("person_id"), query.Text("mapper_id"), query.Int("days", 1, 365) ?? 7);
        if (query.IsInvalid)
        {
            return query.Refuse();
        }

        if (person is null && mapper is null)
        {
            return WireAnswers.Of(400, "Either person_id or mapper_id must be provided");
        }

        var (_, scope, of, refusal) = await mindscapes.Scope(http, person?.ToString());
        return refusal is not null
            ? refusal.ToWire()
            : WireAnswers.Snaked(await FeedbackReport.Of(store, scope, person is null ? null : of, mapper, days, time.GetUtcNow(), http.RequestAborted));
    }
}
