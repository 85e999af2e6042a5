using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PersonaActors.Bench;

/// <summary>
/// A closed loop over plain HTTP/1.1: each connection has one request under way. It speaks from sockets, so that the client's
/// own share of the machine stays small and the same for whatever it is pointed at.
/// </summary>
internal static class HttpLoad
{
    private const int Room = 128 * 1024;

    /// <summary>Writes the request of a connection's turn and says how long it is.</summary>
    internal delegate int Write(Span<byte> room, Random random);

    internal static async Task<double> PerSecond(Uri address, int connections, TimeSpan time, int status, Write write)
    {
        var start = Stopwatch.GetTimestamp();
        var until = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
        // Of the clock as it was once: two connections with one seed would ask for the same in lockstep.
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(i => Task.Run(() => Loop(address, status, write, new Random(HashCode.Combine(start, i)), until, long.MaxValue))));
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Each of the requests once.</summary>
    internal static Task Each(Uri address, int connections, int count, Func<int, byte[]> request)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => Loop(address, 200, (room, _) =>
        {
            var i = Interlocked.Increment(ref next);
            if (i >= count)
            {
                return 0;
            }

            var bytes = request(i);
            bytes.CopyTo(room);
            return bytes.Length;
        }, Random.Shared, long.MaxValue, long.MaxValue))));
    }

    /// <summary>One answer, whole.</summary>
    internal static async Task<string> One(Uri address, byte[] request)
    {
        using var socket = await Connect(address);
        var room = new byte[Room];
        await socket.SendAsync(request);
        var length = await Receive(socket, room, 0);
        return System.Text.Encoding.UTF8.GetString(room, 0, length);
    }

    private static async Task<Socket> Connect(Uri address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return socket;
    }

    private static async Task<long> Loop(Uri address, int status, Write write, Random random, long until, long most)
    {
        using var socket = await Connect(address);
        var room = new byte[Room];
        var count = 0L;
        for (; count < most && Stopwatch.GetTimestamp() < until; count++)
        {
            var length = write(room, random);
            if (length == 0)
            {
                break;
            }

            await socket.SendAsync(room.AsMemory(0, length));
            await Receive(socket, room, status);
        }

        return count;
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

        if (status != 0 && !HasStatus(room, status))
        {
            throw new InvalidOperationException($"Expected {status}, got: {System.Text.Encoding.UTF8.GetString(room, 0, Math.Min(have, 800))}");
        }

        return have;
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
