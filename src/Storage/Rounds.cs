using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Storage;

/// <summary>
/// The one kind of loop for work in the background: a round at the start, every so often, and when somebody calls
/// <see cref="Hurry"/>. No failed round ends it, or the host would end with it: what made one fail may be over at the next.
/// </summary>
public sealed class Rounds(string what, TimeSpan every, TimeProvider time, ILogger log)
{
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Waiting _waiting = new(what, log);

    /// <summary>There is something to do: the next round begins at once, or right after the one that runs.</summary>
    public void Hurry() => _bell.Writer.TryWrite(true);

    /// <summary>Some at a time, until there were fewer than asked for.</summary>
    public static async Task Drain(int batch, Func<Task<long>> some)
    {
        while (await some() == batch)
        {
        }
    }

    public async Task Run(Func<CancellationToken, Task> round, CancellationToken stop)
    {
        Hurry();
        await using var timer = time.CreateTimer(static rounds => ((Rounds)rounds!).Hurry(), this, every, every);
        while (true)
        {
            await _bell.Reader.ReadAsync(stop);
            try
            {
                await round(stop);
                _waiting.GoesOn();
            }
            catch (Exception e)
            {
                stop.ThrowIfCancellationRequested();
                _waiting.Failed(e);
            }
        }
    }
}
