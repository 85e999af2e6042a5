using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PersonaActors.Bench;

/// <summary>
/// Grain calls in one process: 100 callers over 100 grains, each caller one call at a time, each time another grain.
/// The anchor is what one would write without an engine: an object with a mailbox and a loop that reads it.
/// </summary>
internal static class EngineCalls
{
    private const int Grains = 100;
    private const int Callers = 100;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    internal static async Task<Result[]> RunAsync()
    {
        using var host = await StartAsync();
        var factory = host.Services.GetRequiredService<IGrainFactory>();
        var counters = Enumerable.Range(0, Grains).Select(i => factory.GetGrain<ICounterGrain>($"counter/{i}")).ToArray();
        var mailboxes = Enumerable.Range(0, Grains).Select(_ => new Mailbox()).ToArray();

        await CountAsync(WarmUp, grain => counters[grain].Add(1));
        await CountAsync(WarmUp, grain => counters[grain].AddLater(1));
        await CountAsync(WarmUp, grain => mailboxes[grain].AddAsync(1));

        var anchor = await CountAsync(Measured, grain => mailboxes[grain].AddAsync(1));
        var calls = await CountAsync(Measured, grain => counters[grain].Add(1));
        var awaiting = await CountAsync(Measured, grain => counters[grain].AddLater(1));

        foreach (var mailbox in mailboxes) mailbox.Close();
        await host.StopAsync();
        return
        [
            new("grain calls, 100 callers over 100 grains", Result.PerSecond(calls), Result.PerSecond(anchor), calls / anchor,
                700_000, Score: calls, AtLeastText: "700,000/s"),
            new("the same, each turn with an await that goes elsewhere", Result.PerSecond(awaiting), Result.PerSecond(anchor), awaiting / anchor, 0),
        ];
    }

    private static async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddEngine(options => options.GrainAssemblies.Add(typeof(CounterGrain).Assembly));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>Calls a second.</summary>
    private static async Task<double> CountAsync(TimeSpan time, Func<int, Task> call)
    {
        var start = Stopwatch.GetTimestamp();
        var until = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var grain = caller * 7 % Grains;
            var count = 0L;
            while (Stopwatch.GetTimestamp() < until)
            {
                for (var i = 0; i < 16; i++)
                {
                    grain = (grain * 5 + 3) % Grains;
                    await call(grain);
                }
                count += 16;
                // Callers take turns: two cores can't hold a hundred of them at once.
                await Task.Yield();
            }
            return count;
        })));
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private sealed class Mailbox
    {
        private readonly Channel<(int Amount, TaskCompletionSource<long> Answer)> _calls =
            Channel.CreateUnbounded<(int, TaskCompletionSource<long>)>(new() { SingleReader = true });

        private long _total;

        internal Mailbox() => _ = Task.Run(async () =>
        {
            await foreach (var (amount, answer) in _calls.Reader.ReadAllAsync())
            {
                _total += amount;
                answer.SetResult(_total);
            }
        });

        internal Task<long> AddAsync(int amount)
        {
            var answer = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            _calls.Writer.TryWrite((amount, answer));
            return answer.Task;
        }

        internal void Close() => _calls.Writer.Complete();
    }
}

[Alias("bench.ICounterGrain")]
public interface ICounterGrain : IGrainWithStringKey
{
    [Alias("Add")]
    Task<long> Add(int amount);

    [Alias("AddLater")]
    Task<long> AddLater(int amount);
}

public sealed class CounterGrain : Grain, ICounterGrain
{
    private long _total;

    public async Task<long> Add(int amount)
    {
        await Task.CompletedTask;
        return _total += amount;
    }

    public async Task<long> AddLater(int amount)
    {
        await Task.Yield();
        return _total += amount;
    }
}
