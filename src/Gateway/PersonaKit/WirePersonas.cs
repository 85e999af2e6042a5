using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>What this service calls generated personas.</summary>
public static class WirePersonas
{
    public static void MapWirePersonas(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/personas", Generate);
        routes.MapGet("/personas", List);
        routes.MapGet("/personas/active", Active);
        routes.MapGet("/personas/{id}", Get);
    }

    private static async Task<IResult> Generate(HttpContext http, MindscapeAccess mindscapes)
    {
        var body = await WireBody.Read(http);
        var person = body.Uuid("person_id", isRequired: true);
        var mapper = body.Text("mapper_id", isRequired: true, min: 1, max: MapperKey.MaxName);
        var context = body.Object("context") ?? JsonText.EmptyObject;
        var hours = body.Int("ttl_hours", 1, 168);
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, id, refusal) = await mindscapes.Find(http, person!.Value.ToString());
        if (refusal is not null)
        {
            return WireAnswers.Of(404, $"No mindscape found for person {person}");
        }

        var request = new PersonaRequest(mapper!, context, hours);
        return (await mindscapes.Run<GeneratedPersonaView>(http, acting!, request, command => mindscapes.Of(acting!, id).Generate(command, request))).ToWire(WireAnswers.Of);
    }

    private static Task<IResult> List(HttpContext http, MindscapeAccess mindscapes, GeneratedPersonaStore store) => ListOf(http, mindscapes, store, null);

    private static Task<IResult> Active(HttpContext http, MindscapeAccess mindscapes, GeneratedPersonaStore store, Clock time) => ListOf(http, mindscapes, store, time.GetUtcNow());

    private static async Task<IResult> ListOf(HttpContext http, MindscapeAccess mindscapes, GeneratedPersonaStore store, DateTimeOffset? unexpired)
    {
        var query = WireBody.Query(http);
        var person = query.Uuid("person_id", isRequired: unexpired is not null);
        var (limit, offset) = (query.Int("limit", 1, 1000) ?? 100, query.Int("offset", 0, int.MaxValue) ?? 0);
        if (query.IsInvalid)
        {
            return query.Refuse();
        }

        var (_, scope, of, refusal) = await mindscapes.Scope(http, person?.ToString());
        return refusal is not null ? refusal.ToWire() : WireAnswers.Json((await store.List(scope, of, unexpired, null, limit, offset, http.RequestAborted)).Select(WireAnswers.Of));
    }

    private static async Task<IResult> Get(HttpContext http, string id, MindscapeAccess mindscapes, GeneratedPersonaStore store, Clock time)
    {
        if (!Guid.TryParse(id, out var persona))
        {
            return WireBody.Path("persona_id", id);
        }

        var (_, scope, _, refusal) = await mindscapes.Scope(http, null);
        return refusal is not null ? refusal.ToWire()
            : await store.Find(scope, persona, http.RequestAborted) is not { } found ? WireAnswers.Of(404, $"Persona {id} not found")
            : found.ExpiresAt <= time.GetUtcNow() ? GeneratedPersonaEndpoints.Expired.ToWire()
            : WireAnswers.Json(WireAnswers.Of(found));
    }
}
