using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Tenants;

/// <summary>A tenant as GET answers it.</summary>
[GenerateSerializer, Immutable, Alias("tenant-view")]
public sealed record TenantView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string DisplayName,
    [property: Id(3)] int EventRetentionDays,
    [property: Id(4)] long Version,
    [property: Id(5)] DateTimeOffset CreatedAt,
    [property: Id(6)] DateTimeOffset UpdatedAt,
    [property: Id(7)] SettingsTier Settings,
    [property: Id(8)] int ConversationRetentionDays);

public enum ApiKeyKind
{
    User,
    Service,
    TenantAdmin,
    Operator,
}

/// <summary>A key as it may be listed: everything but the key.</summary>
/// <param name="LastUsedAt">To the minute.</param>
[GenerateSerializer, Immutable, Alias("api-key-view")]
public sealed record ApiKeyView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] ApiKeyKind Kind,
    [property: Id(2)] string Name,
    [property: Id(3)] string Prefix,
    [property: Id(4)] Guid? UserId,
    [property: Id(5)] bool MayDelegate,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] DateTimeOffset? RevokedAt,
    [property: Id(8)] DateTimeOffset? LastUsedAt = null);
