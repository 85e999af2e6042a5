namespace PersonaActors.Engine;

/// <summary>The node that should have answered is going or gone. Whether the call was made is unknown.</summary>
public class SiloUnavailableException : Exception
{
    public SiloUnavailableException()
    {
    }

    public SiloUnavailableException(string message)
        : base(message)
    {
    }

    public SiloUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
