using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Users;

[GenerateSerializer, Immutable, Alias("user-identity")]
public sealed record UserIdentity([property: Id(0)] string Provider, [property: Id(1)] string Subject);

/// <summary>A user as GET answers it.</summary>
[GenerateSerializer, Immutable, Alias("user-view")]
public sealed record UserView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Username,
    [property: Id(2)] Items<UserIdentity> Identities,
    [property: Id(3)] Guid DefaultPersonaId,
    [property: Id(4)] string TimeZone,
    [property: Id(5)] bool IsFree,
    [property: Id(6)] bool IsActive,
    [property: Id(7)] long Version,
    [property: Id(8)] DateTimeOffset CreatedAt,
    [property: Id(9)] DateTimeOffset UpdatedAt,
    [property: Id(10)] Guid? DefaultLlmConfigId,
    [property: Id(11)] SettingsTier Settings);
