namespace PersonaActors.Contracts.Conversations;

/// <summary>What a channel's stream tells.</summary>
public static class ChannelEvents
{
    public const string Updated = "channel.updated";
    public const string Appended = "message.appended";
    public const string Edited = "message.edited";
    public const string Deleted = "message.deleted";
    public const string Cleared = "messages.cleared";
    public const string Restored = "messages.restored";
    public const string MemberAdded = "member.added";

    /// <summary>After it somebody may have lost the stream.</summary>
    public const string MemberRemoved = "member.removed";

    public const string Activated = "personality.activated";
    public const string Deactivated = "personality.deactivated";

    /// <summary>Told once: its activator may no longer use it.</summary>
    public const string Skipped = "personality.skipped";

    /// <summary>Not stored, so without a number.</summary>
    public const string Typing = "typing";
}
