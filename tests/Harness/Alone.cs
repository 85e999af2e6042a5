namespace PersonaActors.Tests.Harness;

/// <summary>For tests that measure time or memory: they run by themselves, after those that run beside each other.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
