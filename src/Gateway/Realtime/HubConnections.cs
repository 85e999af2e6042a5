using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Where SignalR tells of its connections. Events don't go through its groups: the pump writes to each connection itself,
/// to know whether it takes them.
/// </summary>
public sealed class HubConnections(ConnectionRoster roster, Clock time, ILogger<DefaultHubLifetimeManager<PersonaHub>> log)
    : DefaultHubLifetimeManager<PersonaHub>(log)
{
    private static readonly object Key = new();

    public static HubClient Of(HubCallerContext context) => (HubClient)context.Items[Key]!;

    public override async Task OnConnectedAsync(HubConnectionContext connection)
    {
        await base.OnConnectedAsync(connection);
        var client = new HubClient(connection, connection.GetHttpContext()!.Acting(), time);
        connection.Items[Key] = client;
        await roster.Admit(client);
    }

    public override Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        if (connection.Items.TryGetValue(Key, out var found) && found is HubClient client)
        {
            roster.Leave(client);
            client.Gone();
        }

        return base.OnDisconnectedAsync(connection);
    }
}
