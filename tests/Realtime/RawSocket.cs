using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Realtime;

/// <summary>The hub's protocol by hand over a WebSocket, with a small receive buffer: it reads only when the test does.</summary>
public sealed class RawSocket : IAsyncDisposable
{
    private const char End = '\u001e';
    private readonly ClientWebSocket _socket = new();
    private readonly SocketsHttpHandler _handler;
    private readonly Queue<JsonObject> _messages = new();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly MemoryStream _rest = new();

    private RawSocket(int receiveBuffer)
    {
        _handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = receiveBuffer };
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
    }

    public static async Task<RawSocket> Connect(Uri server, string token, int receiveBuffer = 8 * 1024)
    {
        var raw = new RawSocket(receiveBuffer);
        var address = new UriBuilder(server) { Scheme = "ws", Path = "/hubs/persona" }.Uri;
        raw._socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await raw._socket.ConnectAsync(address, new HttpMessageInvoker(raw._handler), CancellationToken.None);
        await raw.Send("""{"protocol":"json","version":1}""");
        await raw.Receive();
        return raw;
    }

    public Task Send(string json) => _socket.SendAsync(Encoding.UTF8.GetBytes(json + End), WebSocketMessageType.Text, true, CancellationToken.None);

    /// <summary>Subscribes and reads up to the answer; events that overtake it are dropped.</summary>
    public async Task<JsonObject> Subscribe(string stream, long? after = null)
    {
        await Send(JsonSerializer.Serialize(new { type = 1, target = "Subscribe", invocationId = "1", arguments = new object[] { new[] { new { stream, after } } } }));
        return (await Until(message => (int?)message["type"] == 3))["result"]!.AsArray()[0]!.AsObject();
    }

    /// <summary>The next message that is like that; nothing if the server ends the connection before.</summary>
    public async Task<JsonObject> Until(Func<JsonObject, bool> like)
    {
        while (true)
        {
            var message = await Receive() ?? throw new InvalidOperationException("the connection ended");
            if (like(message))
            {
                return message;
            }
        }
    }

    public async Task<JsonObject?> Receive()
    {
        while (_messages.Count == 0)
        {
            WebSocketReceiveResult result;
            try
            {
                result = await _socket.ReceiveAsync(_buffer, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (WebSocketException)
            {
                return null;
            }

            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            foreach (var b in _buffer.AsSpan(0, result.Count))
            {
                if (b != End)
                {
                    _rest.WriteByte(b);
                    continue;
                }

                _messages.Enqueue(JsonNode.Parse(Encoding.UTF8.GetString(_rest.GetBuffer(), 0, (int)_rest.Length))!.AsObject());
                _rest.SetLength(0);
            }
        }

        return _messages.Dequeue();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _handler.Dispose();
        return ValueTask.CompletedTask;
    }
}
