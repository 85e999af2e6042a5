using System.Text.Json.Nodes;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Gateway.Realtime;

namespace PersonaActors.Gateway.Personalities;

public static class PersonalityStreams
{
    /// <summary>For those who see the card only: what happens to its inside isn't told, only that the version is another.</summary>
    private static readonly Guise Card = new(PersonalityView.CardMark, static e =>
    {
        var data = JsonNode.Parse(e.Data.Json)!.AsObject();
        foreach (var name in data["changes"] is JsonObject ? PersonalityView.Inside : [])
        {
            data["changes"]!.AsObject().Remove(name);
        }

        return e with { Epoch = e.Epoch + PersonalityView.CardMark, Data = new JsonText(data.ToJsonString(Wire.Json)) };
    });

    public static StreamKind Kind(IGrainFactory grains) => StreamKind.Of<PersonalityView>("personality",
        (acting, id) => grains.Of<IPersonalityGrain>(new TenantScopedKey(acting.Tenant, id)).Get(acting.Actor),
        static (acting, personality) => ValueTask.FromResult(personality.MayUse(acting.Actor)),
        type => type is PersonalityEvents.AccessChanged or PersonalityEvents.Deleted,
        guise: static (acting, personality) => personality.MaySeeDefinition(acting.Actor) ? null : Card);
}
