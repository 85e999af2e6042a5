namespace PersonaActors.Contracts.Conversations;

public enum MessageRole
{
    User,
    Assistant,
    System,
}

/// <summary>Something that was said in a channel.</summary>
/// <param name="Number">Its place in the channel's one order.</param>
/// <param name="ClientId">The sender's own id, or one that was made for it.</param>
/// <param name="UserId">Who said it or, of an answer, to whom it was said.</param>
/// <param name="PersonaId">The persona that spoke.</param>
/// <param name="Speaker">What that persona was called then.</param>
/// <param name="ReplyTo">The client id of what it answers.</param>
[GenerateSerializer, Immutable, Alias("message-view")]
public sealed record MessageView(
    [property: Id(0)] long Number,
    [property: Id(1)] string ClientId,
    [property: Id(2)] MessageRole Role,
    [property: Id(3)] string Content,
    [property: Id(4)] int Tokens,
    [property: Id(5)] Guid? PersonalityId,
    [property: Id(6)] Guid? UserId,
    [property: Id(7)] Guid? PersonaId,
    [property: Id(8)] string? Speaker,
    [property: Id(9)] string? ReplyTo,
    [property: Id(10)] DateTimeOffset CreatedAt,
    [property: Id(11)] DateTimeOffset? EditedAt)
{
    /// <summary>What is said to nobody in particular belongs to everybody's conversation.</summary>
    public bool IsOf(Guid? personality) => PersonalityId is null || PersonalityId == personality;
}

[GenerateSerializer, Immutable, Alias("new-message")]
public sealed record NewMessage(
    [property: Id(0)] MessageRole Role,
    [property: Id(1)] string Content,
    [property: Id(2)] Guid? PersonalityId,
    [property: Id(3)] Guid? PersonaId,
    [property: Id(4)] string? ClientId,
    [property: Id(5)] string? ReplyTo);

/// <summary>A channel's newest messages, oldest first, ready to be sent.</summary>
/// <param name="Body">UTF-8.</param>
[GenerateSerializer, Immutable, Alias("window-answer")]
public sealed record WindowAnswer([property: Id(0)] ReadOnlyMemory<byte> Body, [property: Id(1)] string Epoch, [property: Id(2)] long Seq);

/// <summary>Whose part of a channel's history is meant: of a user, with a personality, or of all.</summary>
[GenerateSerializer, Immutable, Alias("history-part")]
public readonly record struct HistoryPart([property: Id(0)] Guid? UserId, [property: Id(1)] Guid? PersonalityId)
{
    public bool Has(MessageView message) => (UserId is null || UserId == message.UserId) && (PersonalityId is null || PersonalityId == message.PersonalityId);
}

/// <summary>A part of a channel's history that was cleared.</summary>
/// <param name="UpTo">The number of the newest message that went.</param>
/// <param name="IsFinal">It can't be restored.</param>
[GenerateSerializer, Immutable, Alias("clear-view")]
public sealed record ClearView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid? UserId,
    [property: Id(2)] Guid? PersonalityId,
    [property: Id(3)] long UpTo,
    [property: Id(4)] DateTimeOffset ClearedAt,
    [property: Id(5)] bool IsFinal);
