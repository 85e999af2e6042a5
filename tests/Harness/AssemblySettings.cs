using System.Runtime.Versioning;

// Test classes run beside each other, each with a database of its own; two cores are the least there is.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: TestCollectionOrderer("PersonaActors.Tests.Harness.LongestFirst", "PersonaActors.Tests")]

// PostgreSQL, signals and file modes are tried for real.
[assembly: SupportedOSPlatform("linux")]
