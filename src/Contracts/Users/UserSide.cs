using System.Collections.Immutable;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Users;

/// <summary>What a user brings to a prompt, as of one version.</summary>
/// <param name="LlmConfigs">The user's own.</param>
/// <param name="Overrides">By personality.</param>
/// <param name="Memories">How many notes there are of the user.</param>
[GenerateSerializer, Immutable, Alias("user-side")]
public sealed record UserSide(
    [property: Id(0)] UserView User, [property: Id(1)] Items<LlmConfigView> LlmConfigs, [property: Id(2)] ImmutableDictionary<Guid, OverrideView> Overrides,
    [property: Id(3)] int Memories = 0)
{
    public Guid DefaultPersonaId => User.DefaultPersonaId;

    public bool IsFree => User.IsFree;

    public Guid? DefaultLlmConfig => User.DefaultLlmConfigId;

    public SettingsTier Settings => User.Settings;

    public OverrideView? OverrideFor(Guid personality) => Overrides.GetValueOrDefault(personality);
}
