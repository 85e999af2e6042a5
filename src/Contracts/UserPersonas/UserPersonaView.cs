namespace PersonaActors.Contracts.UserPersonas;

/// <summary>A user's own AI assistant as GET answers it.</summary>
[GenerateSerializer, Immutable, Alias("user-persona-view")]
public sealed record UserPersonaView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid OwnerId,
    [property: Id(2)] string Name,
    [property: Id(3)] string? DisplayName,
    [property: Id(4)] string? AvatarUrl,
    [property: Id(5)] string SystemPrompt,
    [property: Id(6)] string? VoiceId,
    [property: Id(7)] Items<string> Traits,
    [property: Id(8)] Items<string> Domains,
    [property: Id(9)] JsonText Style,
    [property: Id(10)] bool IsPublic,
    [property: Id(11)] long UsageCount,
    [property: Id(12)] long Version,
    [property: Id(13)] DateTimeOffset CreatedAt,
    [property: Id(14)] DateTimeOffset UpdatedAt)
{
    public bool MayUse(Guid user) => IsPublic || OwnerId == user;
}
