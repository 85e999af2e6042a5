#pragma warning disable CA1040 // Empty by design: what a reference can be keyed by is said by its interface's base.
namespace PersonaActors.Engine;

/// <summary>Whatever has a key to be called by: a grain or a reference to one.</summary>
public interface IAddressable;

/// <summary>What every grain interface derives from, through the kind of its key.</summary>
public interface IGrain : IAddressable;

public interface IGrainWithStringKey : IGrain;

public interface IGrainWithGuidKey : IGrain;
