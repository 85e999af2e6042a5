using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace PersonaActors.Tests.Harness;

/// <summary>A node on a clock that the tests of a class move, and its database.</summary>
public class ClockedRoom : IAsyncLifetime
{
    public FakeTimeProvider Clock { get; protected init; } = FakeTime.Start();

    public TestDatabase Database { get; private set; } = null!;

    public Node Node { get; private set; } = null!;

    protected virtual bool HasAuth => true;

    /// <summary>What the node has besides.</summary>
    protected virtual void Add(IServiceCollection services)
    {
    }

    public virtual async Task InitializeAsync()
    {
        Database = await TestDatabase.Create();
        await StartNode();
    }

    public async Task RestartNode()
    {
        await Node.DisposeAsync();
        await StartNode();
    }

    private async Task StartNode() => Node = await Node.Start(Database, Clock, HasAuth, Add);

    public virtual async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        await Database.DisposeAsync();
    }
}
