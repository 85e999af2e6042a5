using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Stores;

public sealed class RoundsTests
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Whatever_a_round_throws_the_next_one_comes_and_an_outage_is_said_once()
    {
        var clock = FakeTime.Start();
        var said = new Said();
        using var stop = new CancellationTokenSource();
        var failures = new Queue<Exception?>([
            new NpgsqlException("gone"), new StorageUnavailableException("gone"), new InvalidOperationException("wrapped", new NpgsqlException("gone")), null,
            new OperationCanceledException("timed out"), new OperationCanceledException("timed out"), null]);
        var running = new Rounds("The work", Every, clock, said).Run(_ =>
        {
            var failed = failures.Count > 0 ? failures.Dequeue() : null;
            return failed is null ? Task.CompletedTask : Task.FromException(failed);
        }, stop.Token);
        await Eventually.True("all rounds have run", () =>
        {
            clock.Advance(Every);
            return Task.FromResult(failures.Count == 0 && said.Lines.Count == 4);
        });
        Assert.Equal(
            ["Warning: The work waits for the database: gone", "Information: The work goes on", "Error: The work failed and will be tried again", "Information: The work goes on"],
            said.Lines);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Hurried_a_round_begins_at_once()
    {
        var ran = 0;
        using var stop = new CancellationTokenSource();
        var rounds = new Rounds("The work", Every, FakeTime.Start(), new Said());
        var running = rounds.Run(_ =>
        {
            Interlocked.Increment(ref ran);
            return Task.CompletedTask;
        }, stop.Token);
        await Eventually.True("the first round has run", () => Task.FromResult(Volatile.Read(ref ran) == 1));
        rounds.Hurry();
        await Eventually.True("the second round has run", () => Task.FromResult(Volatile.Read(ref ran) == 2));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private sealed class Said : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
