using Xunit.Abstractions;

namespace PersonaActors.Tests.Harness;

/// <summary>A class whose tests take ten seconds or more in a row, working or waiting: begun last, it would run beside nothing at the end.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LongAttribute : Attribute;

public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly HashSet<string> Long =
        [.. typeof(LongestFirst).Assembly.GetTypes().Where(type => type.IsDefined(typeof(LongAttribute), false)).Select(type => type.FullName!)];

    /// <summary>The collection of a class is called by it.</summary>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => !Long.Contains(collection.DisplayName.Split(' ')[^1]));
}
