using System.Reflection;

namespace PersonaActors.Engine;

public sealed class EngineOptions
{
    /// <summary>Where the grain classes are; one class a grain interface.</summary>
    public IList<Assembly> GrainAssemblies { get; } = [];

    /// <summary>Where reminders and grain state are kept (tables <c>reminders</c> and <c>grain_state</c>). Null: there are none.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>How long a caller waits for an answer, where the method doesn't say.</summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a grain stays after its last call, where the class doesn't say.</summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How often idle grains are looked for.</summary>
    public TimeSpan CollectionQuantum { get; set; } = TimeSpan.FromSeconds(30);
}
