using System.Collections.Immutable;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Grains.Users;

/// <summary>How a user's overrides change. Pure; what says nothing (any more) isn't kept.</summary>
public static class OverrideRules
{
    public static OverrideView Nothing(Guid personality, UserView user) => new(personality, null, null, SettingsTier.Empty, user.UpdatedAt, user.Version);

    /// <param name="user">The user as of the change: its version is the override's.</param>
    public static ImmutableDictionary<Guid, OverrideView> Put(ImmutableDictionary<Guid, OverrideView> all, OverrideView changed, UserView user) =>
        changed.SaysNothing()
            ? all.Remove(changed.PersonalityId)
            : all.SetItem(changed.PersonalityId, changed with { Version = user.Version, UpdatedAt = user.UpdatedAt });

    /// <summary>Those that used the persona fall back to the user's default.</summary>
    public static ImmutableDictionary<Guid, OverrideView> WithoutPersona(ImmutableDictionary<Guid, OverrideView> all, Guid persona, UserView user) =>
        all.Values.Where(o => o.PersonaId == persona).Aggregate(all, (rest, o) => Put(rest, o with { PersonaId = null }, user));

    public static ImmutableDictionary<Guid, OverrideView> WithoutLlmConfig(ImmutableDictionary<Guid, OverrideView> all, Guid config, UserView user) =>
        all.Values.Where(o => o.LlmConfigId == config).Aggregate(all, (rest, o) => Put(rest, o with { LlmConfigId = null }, user));
}
