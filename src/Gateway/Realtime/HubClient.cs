using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>A connection of the hub.</summary>
public sealed class HubClient(HubConnectionContext connection, Acting acting, Clock time) : EventConnection(acting, time)
{
    /// <summary>The token was renewed.</summary>
    public void Renew(Caller caller) => Acting = new Acting(caller, Acting.Tenant, Acting.User);

    protected override ValueTask Write(Frame frame) => connection.WriteAsync(frame.Hub);

    protected override int SizeOf(Frame frame) => frame.Hub.GetSerializedMessage(connection.Protocol).Length;

    protected override ValueTask WriteReason(CloseReason reason) =>
        connection.WriteAsync(new CloseMessage(reason.ToString(), allowReconnect: reason != CloseReason.KeyRevoked && reason != CloseReason.UserInactive && reason != CloseReason.UserDeleted));

    protected override void End(bool taken) => connection.Abort();
}
