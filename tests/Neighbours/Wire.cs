using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace PersonaActors.Tests.Neighbours;

/// <summary>
/// The connections that a node makes to other silos. While one can't be reached, nothing passes in either direction and nothing
/// is lost or closed, as on a network that drops packets; the connections it made to this node are in its own hands.
/// </summary>
internal sealed class Wire(string file)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public async Task Lead(ConnectionContext connection, ConnectionDelegate next)
    {
        var port = (connection.RemoteEndPoint as IPEndPoint)?.Port ?? 0;
        var outer = connection.Transport;
        var (toPeer, toNode) = (new Pipe(), new Pipe());
        connection.Transport = new Ends(toNode.Reader, toPeer.Writer);
        var pumps = Task.WhenAll(
            Pump(toPeer.Reader, outer.Output, port, connection.ConnectionClosed),
            Pump(outer.Input, toNode.Writer, port, connection.ConnectionClosed));
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = outer;
            await toPeer.Writer.CompleteAsync();
            connection.Abort();
            await pumps;
        }
    }

    private async Task Pump(PipeReader from, PipeWriter to, int port, CancellationToken closed)
    {
        Exception? failure = null;
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(closed);
                await Reachable(port, closed);
                foreach (var part in read.Buffer)
                {
                    await to.WriteAsync(part, closed);
                }

                from.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        await to.CompleteAsync(failure);
        await from.CompleteAsync(failure);
    }

    private async Task Reachable(int port, CancellationToken closed)
    {
        if (!IsCut(port))
        {
            return;
        }

        using var again = new PeriodicTimer(Look);
        do
        {
            await again.WaitForNextTickAsync(closed);
        }
        while (IsCut(port));
    }

    private bool IsCut(int port) => File.ReadLines(file).Any(line => line == $"{port}");

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
