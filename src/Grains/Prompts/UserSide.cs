using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Grains.Prompts;

/// <summary>What a user's grain itself brings to a prompt, as of one commit: another object after each.</summary>
/// <param name="LlmConfigs">The user's own.</param>
public sealed record UserSide(
    UserView User,
    SettingsTier Settings,
    Guid? DefaultLlmConfig,
    IReadOnlyList<LlmConfigView> LlmConfigs,
    IReadOnlyDictionary<Guid, OverrideView> Overrides);
