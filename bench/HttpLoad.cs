using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PersonaActors.Bench;

/// <summary>
/// A closed loop over plain HTTP/1.1: each connection has one request under way. One thread speaks from all its sockets, so
/// that the client's own share of the machine stays small and the same for whatever it is pointed at.
/// </summary>
internal static class HttpLoad
{
    private const int Room = 128 * 1024;

    /// <summary>Writes the request of a connection's turn and says how long it is.</summary>
    internal delegate int Write(Span<byte> room, Random random);

    /// <summary>How many answers come a second, to connections that each have one request under way.</summary>
    internal static Task<double> PerSecond(Uri address, int connections, TimeSpan time, int status, Write write) => Task.Factory.StartNew(
        () =>
        {
            var start = Stopwatch.GetTimestamp();
            // Of the clock as it was once: two connections with one seed would ask for the same in lockstep.
            var all = Enumerable.Range(0, connections).ToDictionary(i => Connect(address), i => new Asked(write, status, new Random(HashCode.Combine(start, i))));
            var ready = new List<Socket>(connections);
            var count = 0L;
            start = Stopwatch.GetTimestamp();
            var until = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
            foreach (var (socket, asked) in all)
            {
                asked.Ask(socket);
            }

            while (Stopwatch.GetTimestamp() < until)
            {
                ready.AddRange(all.Keys);
                Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(10));
                foreach (var socket in ready)
                {
                    count += all[socket].Receive(socket) ? 1 : 0;
                }

                ready.Clear();
            }

            var elapsed = Stopwatch.GetElapsedTime(start);
            foreach (var socket in all.Keys)
            {
                socket.Dispose();
            }

            return count / elapsed.TotalSeconds;
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>One connection's request and what has come of its answer.</summary>
    private sealed class Asked(Write write, int status, Random random)
    {
        private readonly byte[] _room = new byte[Room];
        private int _have;
        private int _need = -1;

        public void Ask(Socket socket)
        {
            var length = write(_room, random);
            (_have, _need) = (0, -1);
            socket.Send(_room.AsSpan(0, length));
        }

        /// <summary>Takes what is there; if that is all of the answer, asks the next.</summary>
        public bool Receive(Socket socket)
        {
            var read = socket.Receive(_room.AsSpan(_have));
            if (read == 0)
            {
                throw new InvalidOperationException("The server closed the connection.");
            }

            _have += read;
            _need = _need < 0 ? Length(_room.AsSpan(0, _have)) : _need;
            if (_need < 0 || _have < _need)
            {
                return false;
            }

            Check(_room, _have, status);
            Ask(socket);
            return true;
        }
    }

    /// <summary>Each of the requests once.</summary>
    internal static Task Each(Uri address, int connections, int count, Func<int, byte[]> request)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => Loop(address, 200, () =>
            Interlocked.Increment(ref next) is var i && i < count ? request(i) : null))));
    }

    /// <summary>One answer, whole.</summary>
    internal static async Task<string> One(Uri address, byte[] request)
    {
        using var socket = Connect(address);
        var room = new byte[Room];
        await socket.SendAsync(request);
        var length = await Receive(socket, room, 0);
        return System.Text.Encoding.UTF8.GetString(room, 0, length);
    }

    private static Socket Connect(Uri address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, address.Port);
        return socket;
    }

    private static async Task Loop(Uri address, int status, Func<byte[]?> next)
    {
        using var socket = Connect(address);
        var room = new byte[Room];
        while (next() is { } request)
        {
            await socket.SendAsync(request);
            await Receive(socket, room, status);
        }
    }

    private static async ValueTask<int> Receive(Socket socket, byte[] room, int status)
    {
        var have = 0;
        var need = -1;
        while (need < 0 || have < need)
        {
            var read = await socket.ReceiveAsync(room.AsMemory(have));
            if (read == 0)
            {
                throw new InvalidOperationException("The server closed the connection.");
            }

            have += read;
            if (need < 0)
            {
                need = Length(room.AsSpan(0, have));
            }
        }

        Check(room, have, status);
        return have;
    }

    private static void Check(byte[] room, int have, int status)
    {
        if (status != 0 && !HasStatus(room, status))
        {
            throw new InvalidOperationException($"Expected {status}, got: {System.Text.Encoding.UTF8.GetString(room, 0, Math.Min(have, 800))}");
        }
    }

    private static bool HasStatus(ReadOnlySpan<byte> answer, int status) =>
        System.Buffers.Text.Utf8Parser.TryParse(answer[9..12], out int found, out _) && found == status;

    /// <summary>How long the answer is in all; -1 while its head isn't here yet.</summary>
    private static int Length(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return -1;
        }

        var at = answer[..head].IndexOf("Content-Length: "u8);
        if (at < 0)
        {
            return head + 4;
        }

        return System.Buffers.Text.Utf8Parser.TryParse(answer[(at + 16)..], out int body, out _) ? head + 4 + body : -1;
    }
}
