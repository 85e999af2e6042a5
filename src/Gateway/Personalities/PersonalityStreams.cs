using PersonaActors.Contracts;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Gateway.Realtime;

namespace PersonaActors.Gateway.Personalities;

public static class PersonalityStreams
{
    /// <summary>Its events tell the inside, so the stream is for those who may see that; everybody else follows the prompts made of it.</summary>
    public static StreamKind Kind(IGrainFactory grains) => StreamKind.Of<PersonalityView>("personality",
        (acting, id) => grains.Of<IPersonalityGrain>(new TenantScopedKey(acting.Tenant, id)).Get(acting.Actor),
        (acting, personality) => personality.MayUse(acting.Actor) && personality.MaySeeDefinition(acting.Actor),
        type => type is PersonalityEvents.AccessChanged or PersonalityEvents.Deleted);
}
