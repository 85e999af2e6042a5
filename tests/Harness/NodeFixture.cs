namespace PersonaActors.Tests.Harness;

/// <summary>One node and database for a whole test class, where its tests don't disturb each other.</summary>
public sealed class NodeFixture : IAsyncLifetime
{
    public TestDatabase Database { get; private set; } = null!;

    public Node Node { get; private set; } = null!;

    /// <summary>With a service key of the demo tenant.</summary>
    public ApiClient Service { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.Create();
        Node = await Node.Start(Database);
        Service = Node.Client(await Node.ServiceKey());
    }

    public async Task DisposeAsync()
    {
        Service.Dispose();
        await Node.DisposeAsync();
        await Database.DisposeAsync();
    }
}
