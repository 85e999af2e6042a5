namespace PersonaActors.Tests.Realtime;

/// <summary>One node, one database and one process of real clients for a class.</summary>
public sealed class RealtimeFixture : IAsyncLifetime
{
    private readonly Room _room = new();
    private int _names;

    public Node Node => _room.Node;

    public TestDatabase Database => _room.Database;

    public ApiClient Service => _room.Service;

    public NodeClients Clients { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await _room.InitializeAsync();
        Clients = await NodeClients.Start();
    }

    public async Task DisposeAsync()
    {
        await Clients.DisposeAsync();
        await _room.DisposeAsync();
    }

    /// <summary>So many events in the user's stream, one after the other.</summary>
    public Task Change(Guid user, int times) => Change(Service, user, times);

    public async Task Change(ApiClient client, Guid user, int times)
    {
        for (var i = 0; i < times; i++)
        {
            (await client.Patch($"/v1/users/{user}", new { username = $"Name {Interlocked.Increment(ref _names)}" })).Should(HttpStatusCode.OK);
        }
    }
}
