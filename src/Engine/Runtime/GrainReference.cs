namespace PersonaActors.Engine;

/// <summary>The base of the emitted references.</summary>
internal abstract class GrainReference(string key) : IAddressable
{
    internal string Key { get; } = key;
}
