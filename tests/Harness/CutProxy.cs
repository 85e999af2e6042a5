using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace PersonaActors.Tests.Harness;

/// <summary>Where a transaction's connection is cut.</summary>
public enum CutAt
{
    /// <summary>Nothing of it has reached PostgreSQL: it hasn't happened.</summary>
    Request,

    /// <summary>PostgreSQL has committed and answered, and nobody hears it.</summary>
    Answer,

    /// <summary>Nowhere: PostgreSQL has committed and answered, and it is heard once the test lets it (<see cref="CutProxy.Cut.Let"/>).</summary>
    Held,
}

/// <summary>
/// Between a node and PostgreSQL. Everything goes through as it is, until a transaction comes that the test waits for: of
/// that one the connection is cut, or the answer comes late. What the protocol must be known for is only where a batch and its answer end.
/// </summary>
public sealed partial class CutProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly CancellationTokenSource _over = new();
    private CancellationTokenSource _away = new();
    private Cut? _armed;

    public CutProxy(string connectionString)
    {
        _server = new NpgsqlConnectionStringBuilder(connectionString);
        _listener.Start();
        _ = Accept();
    }

    /// <summary>What stores a command's answer: nothing else says 64 hexadecimal digits, the fingerprint of the request.</summary>
    public static Regex AnswerStored { get; } = Fingerprint();

    /// <summary>The way through the proxy. Unencrypted: what is watched must be readable.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(_server.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    /// <summary>One transaction that is to be cut. A transaction that PostgreSQL refuses isn't it.</summary>
    public sealed class Cut(CutAt at, Regex which, bool thenAway)
    {
        private int _happened;
        private readonly TaskCompletionSource _let = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CutAt At => at;

        public bool Happened => Volatile.Read(ref _happened) == 1;

        /// <summary>The answer that is held is heard.</summary>
        public void Let() => _let.SetResult();

        internal Task Heard => _let.Task;

        internal bool Is(string batch) => !Happened && which.IsMatch(batch);

        internal bool ThenAway => thenAway;

        internal bool Take() => Interlocked.Exchange(ref _happened, 1) == 0;
    }

    /// <param name="which">Found in what the client sends for the transaction, read as Latin-1.</param>
    /// <param name="thenAway">Whether nothing comes through any more from then on, until <see cref="Back"/>.</param>
    public Cut Arm(CutAt at, Regex? which = null, bool thenAway = false)
    {
        var cut = new Cut(at, which ?? AnswerStored, thenAway);
        Volatile.Write(ref _armed, cut);
        return cut;
    }

    public void Disarm() => Volatile.Write(ref _armed, null);

    /// <summary>PostgreSQL can be reached again.</summary>
    public void Back() => Volatile.Write(ref _away, new CancellationTokenSource());

    private void Happen(Cut cut)
    {
        if (cut.ThenAway)
        {
            Volatile.Read(ref _away).Cancel();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Stop();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Serve(await _listener.AcceptTcpClientAsync(_over.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        {
            try
            {
                client.NoDelay = true;
                await server.ConnectAsync(_server.Host!, _server.Port, _over.Token);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, Volatile.Read(ref _away).Token);
                var link = new Link(this, client.GetStream(), server.GetStream());
                await Task.WhenAny(link.Requests(ended.Token), link.Answers(ended.Token));
                await ended.CancelAsync();
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // Whoever closed it knows why.
            }
        }
    }

    /// <summary>One connection. Messages (type, length, content) go on when the side that sent them waits for the other.</summary>
    private sealed class Link(CutProxy proxy, NetworkStream client, NetworkStream server)
    {
        private const byte Parse = (byte)'P';
        private const byte Bind = (byte)'B';
        private const byte Describe = (byte)'D';
        private const byte Execute = (byte)'E';
        private const byte Authentication = (byte)'R';
        private const byte ErrorResponse = (byte)'E';
        private const byte Notification = (byte)'A';
        private const byte ReadyForQuery = (byte)'Z';

        private Cut? _answerless;

        public async Task Requests(CancellationToken cancel)
        {
            using var from = new BufferedStream(client);
            // The first message has no type.
            var length = new byte[4];
            await from.ReadExactlyAsync(length, cancel);
            var start = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
            length.CopyTo(start, 0);
            await from.ReadExactlyAsync(start.AsMemory(4), cancel);
            await server.WriteAsync(start, cancel);

            using var batch = new MemoryStream();
            while (await Message(from, batch, cancel) is { } type)
            {
                if (type is Parse or Bind or Describe or Execute)
                {
                    continue;
                }

                if (Volatile.Read(ref proxy._armed) is { } armed && armed.Is(Encoding.Latin1.GetString(batch.GetBuffer(), 0, (int)batch.Length)))
                {
                    if (armed.At == CutAt.Request && armed.Take())
                    {
                        proxy.Happen(armed);
                        return;
                    }

                    Volatile.Write(ref _answerless, armed);
                }

                await Forward(batch, server, cancel);
            }
        }

        public async Task Answers(CancellationToken cancel)
        {
            using var from = new BufferedStream(server);
            using var answer = new MemoryStream();
            var refused = false;
            while (await Message(from, answer, cancel) is { } type)
            {
                refused |= type == ErrorResponse;
                if (Volatile.Read(ref _answerless) is { } cut)
                {
                    if (type != ReadyForQuery)
                    {
                        continue;
                    }

                    if (!refused && cut.Take())
                    {
                        if (cut.At == CutAt.Answer)
                        {
                            proxy.Happen(cut);
                            return;
                        }

                        await cut.Heard.WaitAsync(cancel);
                    }

                    Volatile.Write(ref _answerless, null);
                }

                if (type is ReadyForQuery or Authentication or Notification or ErrorResponse)
                {
                    refused = false;
                    await Forward(answer, client, cancel);
                }
            }

            await Forward(answer, client, cancel);
        }

        private static async Task Forward(MemoryStream what, NetworkStream to, CancellationToken cancel)
        {
            await to.WriteAsync(what.GetBuffer().AsMemory(0, (int)what.Length), cancel);
            what.SetLength(0);
        }

        /// <summary>Adds the next message to the others and answers its type; none at the end.</summary>
        private static async Task<byte?> Message(BufferedStream from, MemoryStream to, CancellationToken cancel)
        {
            var head = new byte[5];
            if (await from.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel) < head.Length)
            {
                return null;
            }

            var content = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4];
            await from.ReadExactlyAsync(content, cancel);
            to.Write(head);
            to.Write(content);
            return head[0];
        }
    }

    // A parameter's length and the parameter; a note's has zeros only.
    [GeneratedRegex(@"\0\0\0@(?!0{64})[0-9a-f]{64}")]
    private static partial Regex Fingerprint();
}
