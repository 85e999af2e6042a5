namespace PersonaActors.Engine;

/// <summary>A part of a grain that outlives its activations: read before OnActivateAsync, written when the grain says so.</summary>
public interface IPersistentState<TState>
{
    TState State { get; set; }

    /// <summary>Which write it was read from; null when there is none.</summary>
    string? Etag { get; }

    bool RecordExists { get; }

    Task ReadStateAsync();

    /// <exception cref="InconsistentStateException">Somebody else has written since; the activation is dropped.</exception>
    Task WriteStateAsync();

    /// <exception cref="InconsistentStateException">Somebody else has written since; the activation is dropped.</exception>
    Task ClearStateAsync();
}

/// <summary>Names the state of a constructor's parameter; unique in its grain class.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
{
    public string StateName { get; } = stateName;

    public string? StorageName { get; } = storageName;
}

/// <summary>What was to be written rests on something that is no longer stored.</summary>
public class InconsistentStateException : Exception
{
    public InconsistentStateException()
    {
    }

    public InconsistentStateException(string message)
        : base(message)
    {
    }

    public InconsistentStateException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag)
        : base(errorMsg)
    {
        StoredEtag = storedEtag;
        CurrentEtag = currentEtag;
    }

    public string? StoredEtag { get; }

    public string? CurrentEtag { get; }

    /// <summary>It drops the grain that wrote, not those it passes on its way to the first caller.</summary>
    internal bool IsSourceActivation { get; set; } = true;
}
