namespace PersonaActors.Contracts.Conversations;

/// <summary>A note of a user, for one personality or for all.</summary>
/// <param name="Source">Where it comes from, as whoever wrote it says it.</param>
[GenerateSerializer, Immutable, Alias("user-memory-view")]
public sealed record UserMemoryView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid UserId,
    [property: Id(2)] Guid? PersonalityId,
    [property: Id(3)] string Content,
    [property: Id(4)] int Tokens,
    [property: Id(5)] string? Source,
    [property: Id(6)] long Version,
    [property: Id(7)] DateTimeOffset CreatedAt,
    [property: Id(8)] DateTimeOffset UpdatedAt);

/// <param name="CreatedAt">When it was made elsewhere; now, if nothing is said.</param>
[GenerateSerializer, Immutable, Alias("new-user-memory")]
public sealed record NewUserMemory(
    [property: Id(0)] Guid? PersonalityId,
    [property: Id(1)] string Content,
    [property: Id(2)] string? Source = null,
    [property: Id(3)] DateTimeOffset? CreatedAt = null);

/// <summary>What became of many: in their order, each as it is now, and how many of them are new.</summary>
[GenerateSerializer, Immutable, Alias("added-user-memories")]
public sealed record AddedMemories([property: Id(0)] Items<UserMemoryView> Memories, [property: Id(1)] int New);

[GenerateSerializer, Immutable, Alias("user-memory-change")]
public sealed record UserMemoryChange([property: Id(0)] Patch<string> Content, [property: Id(1)] Patch<string> Source);
