using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace PersonaActors.Contracts.Mindscapes;

public enum MapperStatus
{
    Draft,
    Active,
    Deprecated,
}

/// <summary>One version of a mapper. What is in it never changes; whether it is used does.</summary>
[GenerateSerializer, Immutable, Alias("mapper-version-view")]
public sealed record MapperVersionView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string ConfigId,
    [property: Id(2)] int Version,
    [property: Id(3)] JsonText Configuration,
    [property: Id(4)] MapperStatus Status,
    [property: Id(5)] int UsageCount,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] DateTimeOffset UpdatedAt,
    [property: Id(8)] Guid? CreatedBy);

/// <summary>What feedback made of a rule's weight.</summary>
/// <param name="LoweredAt">From here on not-helpful answers are counted anew.</param>
[GenerateSerializer, Immutable, Alias("rule-weight")]
public sealed record RuleWeight(
    [property: Id(0)] double Weight,
    [property: Id(1)] double OriginalWeight,
    [property: Id(2)] bool IsLocked,
    [property: Id(3)] DateTimeOffset? LastAdjusted,
    [property: Id(4)] string? AdjustmentReason,
    [property: Id(5)] DateTimeOffset? LoweredAt);

/// <summary>A mapper as personas are made by it.</summary>
/// <param name="Latest">The newest version's number.</param>
[GenerateSerializer, Immutable, Alias("mapper-view")]
public sealed record MapperView(
    [property: Id(0)] string ConfigId,
    [property: Id(1)] int Latest,
    [property: Id(2)] MapperVersionView? Active,
    [property: Id(3)] ImmutableDictionary<string, RuleWeight> Weights);

/// <summary>How many versions of a mapper are no longer used.</summary>
[GenerateSerializer, Immutable, Alias("deprecated-mapper")]
public sealed record DeprecatedMapper([property: Id(0)] string ConfigId, [property: Id(1)] int Versions);

/// <summary>Mappers go by names that people give; a grain's key is an id, and this is the one of a name.</summary>
public static class MapperKey
{
    public const int MaxName = 255;

    public static TenantScopedKey Of(Guid tenant, string configId) =>
        new(tenant, new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"mapper:{configId}")).AsSpan(0, 16)));
}
