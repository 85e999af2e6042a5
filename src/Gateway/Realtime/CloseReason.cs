namespace PersonaActors.Gateway.Realtime;

/// <summary>Why the server ends a connection, in the words the client gets. All but the last four may resume at once with the same credentials.</summary>
public sealed record CloseReason(string Code, string Detail)
{
    public static readonly CloseReason Slow = new("slow_consumer", "More than 1 MiB waited for this connection. Connect again and resume.");
    public static readonly CloseReason Stuck = new("stuck", "This connection took nothing for 30 seconds. Connect again and resume.");
    public static readonly CloseReason EpochChanged = new("epoch_changed", "The database was restored. Connect again and resume: every stream is reset.");
    public static readonly CloseReason Pruned = new("log_pruned", "The log was pruned before it was replayed. Connect again and resume: the stream is reset.");
    public static readonly CloseReason Unverified = new("access_unverified", "Access could not be verified. Connect again and resume.");
    public static readonly CloseReason ShuttingDown = new("shutting_down", "This node stops. Connect again and resume.");
    public static readonly CloseReason TooManyStreams = new("too_many_streams", $"A connection has at most {EventConnection.MaxStreams} streams.");
    public static readonly CloseReason BadMessage = new("bad_message", "A message was longer than 256 KiB, or none of the hub's protocol. Connect again and resume.");
    public static readonly CloseReason Silent = new("silent", "Nothing came from this client for 30 seconds, no ping either. Connect again and resume.");
    public static readonly CloseReason TokenExpired = new("token_expired", "The token has expired. Connect again with a new one.");
    public static readonly CloseReason KeyRevoked = new("key_revoked", "The key that this connection was made with has ended.");
    public static readonly CloseReason UserInactive = new("user_inactive", "The user of this connection is not active.");
    public static readonly CloseReason UserDeleted = new("user_deleted", "The user of this connection was deleted.");

    public override string ToString() => $"{Code}: {Detail}";
}
