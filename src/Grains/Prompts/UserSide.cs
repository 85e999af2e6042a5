using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What a user's grain itself brings to a prompt, as of one commit: another object after each. What every prompt reads of the
/// user lies in it, since each further object of somebody who hasn't asked for long is a wait for memory.
/// </summary>
/// <param name="llmConfigs">The user's own.</param>
public sealed class UserSide(UserView user, IReadOnlyList<LlmConfigView> llmConfigs, IReadOnlyDictionary<Guid, OverrideView> overrides)
{
    /// <summary>Most have none.</summary>
    private readonly IReadOnlyDictionary<Guid, OverrideView>? _overrides = overrides.Count > 0 ? overrides : null;

    public UserView User { get; } = user;

    public Guid DefaultPersonaId { get; } = user.DefaultPersonaId;

    public bool IsFree { get; } = user.IsFree;

    public Guid? DefaultLlmConfig { get; } = user.DefaultLlmConfigId;

    public SettingsTier Settings { get; } = user.Settings;

    public IReadOnlyList<LlmConfigView> LlmConfigs { get; } = llmConfigs;

    public OverrideView? OverrideFor(Guid personality) => _overrides?.GetValueOrDefault(personality);
}

/// <summary>Whoever has prompts: its grain.</summary>
public interface IPromptUser
{
    /// <summary>As last committed; null if there is no such user.</summary>
    UserSide? Side { get; }
}
