using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PersonaActors.Bench;

/// <summary>
/// A closed loop over plain HTTP/1.1: each connection has one request under way. A thread speaks from many sockets, so that
/// the client's own share of the machine stays small and the same for whatever it is pointed at.
/// </summary>
internal static class HttpLoad
{
    private const int Room = 128 * 1024;

    /// <summary>Half of the processors are enough to ask as much as the others can answer.</summary>
    private static readonly int Threads = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Writes the request of a connection's turn and says how long it is.</summary>
    internal delegate int Write(Span<byte> room, Random random);

    /// <summary>
    /// How many answers come a second, to connections that each have one request under way. Those of the lead-in don't count:
    /// whoever had the machine before leaves it with its own caches and threads.
    /// </summary>
    internal static async Task<double> PerSecond(Uri address, int connections, TimeSpan leadIn, TimeSpan time, int status, Write write)
    {
        var start = Stopwatch.GetTimestamp() + Ticks(leadIn);
        var each = Enumerable.Range(0, Threads).Select(i => ((i + 1) * connections / Threads) - (i * connections / Threads));
        var answered = await Task.WhenAll(each.Select(some => OnThread(() => Run(address, some, status, write, start, start + Ticks(time)))));
        return answered.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Each of the requests once.</summary>
    internal static Task Each(Uri address, int connections, int count, Func<int, byte[]> request)
    {
        var next = 0;
        return OnThread(() => Run(address, connections, 200, (room, _) =>
        {
            if (next == count)
            {
                return 0;
            }

            var bytes = request(next++);
            bytes.CopyTo(room);
            return bytes.Length;
        }, 0, long.MaxValue));
    }

    /// <summary>What an answer holds behind its head.</summary>
    internal static string Body(string answer) => answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    /// <summary>One answer, whole.</summary>
    internal static Task<string> One(Uri address, byte[] request) => OnThread(() =>
    {
        using var connection = new Connection(address);
        connection.Ask((room, _) =>
        {
            request.CopyTo(room);
            return request.Length;
        });
        while (!connection.Receive())
        {
        }

        return Encoding.UTF8.GetString(connection.Answer);
    });

    /// <summary>A thread that waits for sockets is none of those that serve.</summary>
    private static Task<T> OnThread<T>(Func<T> run) => Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Asks until the time is over, or until nobody has a request left; says how many were answered since the start.</summary>
    private static long Run(Uri address, int connections, int status, Write write, long start, long until)
    {
        var all = Enumerable.Range(0, connections).Select(_ => new Connection(address)).ToDictionary(connection => connection.Socket);
        var asking = all.Where(one => one.Value.Ask(write)).Select(one => one.Key).ToHashSet();
        var ready = new List<Socket>(connections);
        var count = 0L;
        for (var now = 0L; asking.Count > 0 && now < until; now = Stopwatch.GetTimestamp())
        {
            ready.AddRange(asking);
            Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(10));
            foreach (var socket in ready)
            {
                var connection = all[socket];
                if (!connection.Receive())
                {
                    continue;
                }

                count += now < start ? 0 : 1;
                if (!HasStatus(connection.Answer, status))
                {
                    throw new InvalidOperationException($"Expected {status}, got: {Encoding.UTF8.GetString(connection.Answer[..Math.Min(connection.Answer.Length, 800)])}");
                }

                if (!connection.Ask(write))
                {
                    asking.Remove(socket);
                }
            }

            ready.Clear();
        }

        foreach (var connection in all.Values)
        {
            connection.Dispose();
        }

        return count;
    }

    /// <summary>A connection, its request under way, and what has come of the answer.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly byte[] _room = new byte[Room];
        private readonly Random _random = new();
        private int _have;
        private int _need;

        public Connection(Uri address) => Socket.Connect(IPAddress.Loopback, address.Port);

        public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public ReadOnlySpan<byte> Answer => _room.AsSpan(0, _have);

        /// <summary>False: there was nothing to ask.</summary>
        public bool Ask(Write write)
        {
            var length = write(_room, _random);
            (_have, _need) = (0, -1);
            return length > 0 && Socket.Send(_room.AsSpan(0, length)) == length;
        }

        /// <summary>Takes what is there; true if that is all of the answer.</summary>
        public bool Receive()
        {
            var read = Socket.Receive(_room.AsSpan(_have));
            if (read == 0)
            {
                throw new InvalidOperationException("The server closed the connection.");
            }

            _have += read;
            _need = _need < 0 ? Length(Answer) : _need;
            return _need >= 0 && _have >= _need;
        }

        public void Dispose() => Socket.Dispose();
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
