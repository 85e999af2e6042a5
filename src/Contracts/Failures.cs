namespace PersonaActors.Contracts;

/// <summary>The database can't be reached or gave up; nothing was written. The gateway answers 503 with Retry-After.</summary>
[GenerateSerializer, Alias("storage-unavailable")]
public sealed class StorageUnavailableException : Exception
{
    public StorageUnavailableException(string message, Exception? cause = null) : base(message) => Cause = cause;

    /// <summary>For the log of this process. It stays here: a caller on another silo couldn't read it, and would be told of that instead.</summary>
    [field: NonSerialized]
    public Exception? Cause { get; }

    public override string ToString() => Cause is null ? base.ToString() : $"{base.ToString()}\n ---> {Cause}";
}

/// <summary>Another writer changed the row first, or a commit's fate is unknown: the grain has left, a fresh one answers the retry.</summary>
[GenerateSerializer, Alias("activation-outdated")]
public sealed class ActivationOutdatedException : Exception
{
    public ActivationOutdatedException(string message, Exception? cause = null) : base(message) => Cause = cause;

    /// <summary>For the log of this process. It stays here: a caller on another silo couldn't read it, and would be told of that instead.</summary>
    [field: NonSerialized]
    public Exception? Cause { get; }

    public override string ToString() => Cause is null ? base.ToString() : $"{base.ToString()}\n ---> {Cause}";
}

/// <summary>The command's id was used before: its first answer is in the command log.</summary>
[GenerateSerializer, Alias("command-repeated")]
public sealed class CommandRepeatedException : Exception
{
    public CommandRepeatedException(string message) : base(message) { }
}
