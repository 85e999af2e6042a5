using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>What may be said in a channel, and by whom.</summary>
public static class MessageRules
{
    public const int MaxContent = 32_000;
    public const int MaxClientId = 200;
    public const int MaxWindow = 200;
    public const int MaxMembers = 10_000;
    public const int MaxActive = 50;
    public const int MaxPlace = 10_000;

    public static Refusal? CheckId(string channel) =>
        channel.Length is 0 or > ChannelKey.MaxId || channel.Any(char.IsControl) || Text.CheckOptional("channel", channel, ChannelKey.MaxId) is not null
            ? Refusal.Invalid("channelId", $"A channel's id is a text of 1–{ChannelKey.MaxId} characters on one line.")
            : null;

    public static Refusal? Check(NewMessage message, Actor actor) =>
        (message.Role != MessageRole.User && actor.Kind == ActorKind.User
            ? Refusal.Forbidden("role_required", $"A user's own key says what the user says: '{message.Role.ToString().ToLowerInvariant()}' is for keys that act for others.")
            : message.Role == MessageRole.User && actor.User is null
            ? new Refusal(RefusalKind.Invalid, "user_required", "Name the user who says it.", "user")
            : null)
        ?? CheckContent(message.Content)
        ?? CheckClientId("clientId", message.ClientId)
        ?? CheckClientId("replyTo", message.ReplyTo);

    public static Refusal? CheckContent(string content) => Text.CheckRequired("content", content, MaxContent);

    public static Refusal? CheckClientId(string field, string? id) => id is null ? null : Text.CheckRequired(field, id, MaxClientId);
}
