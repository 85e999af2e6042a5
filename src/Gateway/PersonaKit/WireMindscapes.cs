using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

public static class WireMindscapes
{
    public static void MapWireMindscapes(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/mindscapes/{person}", Get);
        routes.MapPut("/mindscapes/{person}", Set);
    }

    private static async Task<IResult> Get(HttpContext http, string person, MindscapeAccess mindscapes)
    {
        var (acting, id, refusal) = await mindscapes.Find(http, person);
        return refusal is null && await mindscapes.IsThere(acting!, id) && await mindscapes.Of(acting!, id).Get() is { Value: { Version: > 0 } known }
            ? WireAnswers.Json(WireAnswers.Of(known))
            : WireAnswers.Of(404, $"No mindscape found for person {person}");
    }

    private static async Task<IResult> Set(HttpContext http, string person, MindscapeAccess mindscapes)
    {
        var body = await WireBody.Read(http);
        var (traits, version) = (body.Object("traits", isRequired: true), body.Int("version", 0, int.MaxValue));
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, id, refusal) = await mindscapes.Find(http, person);
        return refusal is not null
            ? WireAnswers.Of(404, $"No mindscape found for person {person}")
            : (await mindscapes.Run<MindscapeView>(http, acting!, new { traits, version }, command => mindscapes.Of(acting!, id).SetTraits(command, traits!, version)))
                .ToWire(WireAnswers.Of);
    }
}
