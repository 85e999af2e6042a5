using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// A hub protocol that says why where SignalR, which may not show its exceptions, only says that a connection ends. There are
/// two such ends: a message that is too large or none of the protocol's, and a client that sent nothing, no ping either.
/// </summary>
internal sealed class ReasonedProtocol(IHubProtocol inner) : IHubProtocol
{
    public string Name => inner.Name;

    public int Version => inner.Version;

    public TransferFormat TransferFormat => inner.TransferFormat;

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        inner.TryParseMessage(ref input, binder, out message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => inner.WriteMessage(Reasoned(message), output);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => inner.GetMessageBytes(Reasoned(message));

    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    private static HubMessage Reasoned(HubMessage message) => message switch
    {
        CloseMessage { Error: "Connection closed with an error." } close => new CloseMessage(CloseReason.BadMessage.ToString(), close.AllowReconnect),
        CloseMessage { Error: null, AllowReconnect: true } => new CloseMessage(CloseReason.Silent.ToString(), allowReconnect: true),
        _ => message,
    };
}
