using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

public static class WireObservations
{
    public static void MapWireObservations(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/observations", Record);
        routes.MapGet("/observations", List);
    }

    private static async Task<IResult> Record(HttpContext http, MindscapeAccess mindscapes)
    {
        var body = await WireBody.Read(http);
        var person = body.Uuid("person_id", isRequired: true);
        var type = body.Text("type", isRequired: true, min: 1, max: 50, alias: "observation_type");
        var content = body.Object("content", isRequired: true);
        var metadata = body.Object("meta", alias: "metadata") ?? JsonText.EmptyObject;
        var clientId = body.Text("client_id", min: 1, max: 200);
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, id, refusal) = await mindscapes.Find(http, person!.Value.ToString());
        if (refusal is not null)
        {
            return refusal.ToWire();
        }

        // Who says where it comes from says it in the metadata.
        var source = metadata.Read<Dictionary<string, JsonText>>().GetValueOrDefault("source")?.Json is ['"', .., '"'] text && text.Length <= 52 ? new JsonText(text).Read<string>() : null;
        return (await mindscapes.Record(http, acting!, id, new NewObservation(type!, content!, metadata, source, clientId, null))).ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> List(HttpContext http, MindscapeAccess mindscapes, MindscapeStore store)
    {
        var query = WireBody.Query(http);
        var (person, limit, offset) = (query.Uuid("person_id"), query.Int("limit", 1, 1000) ?? 100, query.Int("offset", 0, int.MaxValue) ?? 0);
        if (query.IsInvalid)
        {
            return query.Refuse();
        }

        var (_, scope, of, refusal) = await mindscapes.Scope(http, person?.ToString());
        return refusal is not null ? refusal.ToWire() : WireAnswers.Json((await store.List(scope, of, null, limit, offset, http.RequestAborted)).Select(WireAnswers.Of));
    }
}
