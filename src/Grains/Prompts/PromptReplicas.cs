using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Prompts;

/// <summary>The owners whose views prompts are made from.</summary>
public static class PromptReplicas
{
    public static readonly ReplicaOf<UserSide> User = new(
        static (grains, key, silo) => grains.Of<IUserGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static side => 1024 + (side.Overrides.Count * 200) + (side.LlmConfigs.Count * 1024));

    public static readonly ReplicaOf<PersonaView> Persona = new(
        static (grains, key, silo) => grains.Of<IPersonaGrain>(new OwnedKey(key.Tenant, key.Owner, key.Id)).Grant(silo),
        static persona => 1024 + (persona.Content.Length * 6));

    public static readonly ReplicaOf<PersonalityView> Personality = new(
        static (grains, key, silo) => grains.Of<IPersonalityGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static it => 8192 + (((it.CharacterInfo?.Length ?? 0) + (it.PersonalityTraits?.Length ?? 0) + (it.ConversationalExamples?.Length ?? 0) + (it.CustomFields?.Json.Length ?? 0)) * 6));

    public static readonly ReplicaOf<UserPersonaView> UserPersona = new(
        static (grains, key, silo) => grains.Of<IUserPersonaGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static it => 2048 + (it.SystemPrompt.Length * 6));

    public static readonly ReplicaOf<TenantView> Tenant = new(
        static (grains, key, silo) => grains.Of<ITenantGrain>(new TenantKey(key.Tenant)).Grant(silo), static _ => 1024);

    public static readonly ReplicaOf<CatalogueView> Catalogue = new(
        static (grains, key, silo) => grains.Of<ICatalogueGrain>(new TenantKey(key.Tenant)).Grant(silo),
        static it => 1024 + it.SystemPrompts.Values.Sum(prompt => 1024 + (prompt.Content.Length * 2)) + ((it.LlmConfigs.Count + it.FocusModes.Count) * 2048));
}
