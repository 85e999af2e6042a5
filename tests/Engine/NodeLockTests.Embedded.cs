using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Engine;

public sealed class NodeLockTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeClock _clock = new();
    private readonly Lifetime _lifetime = new();
    private readonly List<NodeLock> _locks = [];
    private TestDatabase? _database;

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync()
    {
        foreach (var nodeLock in _locks) await nodeLock.DisposeAsync();
        await _database!.DisposeAsync();
    }

    private NodeLock NewLock(ILogger<NodeLock>? log = null)
    {
        var made = new NodeLock(_database!.App, _clock, log ?? NullLogger<NodeLock>.Instance, _lifetime);
        _locks.Add(made);
        return made;
    }

    [Fact]
    public async Task A_second_node_on_the_same_database_is_refused_in_words()
    {
        await NewLock().StartAsync(default);
        var second = NewLock();
        var refused = await Assert.ThrowsAsync<NodeLockedException>(() => InTime(second.StartAsync(default)));
        Assert.Contains("Another PersonaActors node already serves the database", refused.Message, StringComparison.Ordinal);
        Assert.Contains("stop the other one, or run the cluster edition", refused.Message, StringComparison.Ordinal);
        Assert.False(second.IsHeld);
    }

    [Fact]
    public async Task It_is_given_back_on_stop()
    {
        var first = NewLock();
        await first.StartAsync(default);
        Assert.True(first.IsHeld);
        await first.StopAsync(default);
        Assert.False(first.IsHeld);
        var second = NewLock();
        await InTime(second.StartAsync(default));
        Assert.True(second.IsHeld);
    }

    [Fact]
    public async Task A_start_waits_a_moment_for_a_predecessor_that_the_server_still_thinks_alive()
    {
        var dying = NewLock();
        await dying.StartAsync(default);
        var second = NewLock();
        var starting = second.StartAsync(default);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await TerminateHoldersAsync();
        await InTime(starting);
        Assert.True(second.IsHeld);
    }

    [Fact]
    public async Task A_lost_connection_loses_the_lock_until_it_is_taken_again()
    {
        var nodeLock = NewLock();
        await nodeLock.StartAsync(default);
        var changes = new BlockingCollection<bool>();
        nodeLock.HeldChanged += (_, _) => changes.Add(nodeLock.IsHeld);

        await TerminateHoldersAsync();
        await InTime(Task.Run(() => Assert.False(changes.Take())));
        await InTime(Task.Run(() => Assert.True(changes.Take())));
        Assert.False(_lifetime.Stopped.IsCompleted);
    }

    [Fact]
    public async Task A_node_that_finds_its_place_taken_says_so_and_ends()
    {
        var log = new CriticalLog();
        var nodeLock = NewLock(log);
        await nodeLock.StartAsync(default);

        await TerminateHoldersAsync();
        await InTime(NewLock().StartAsync(default));
        await InTime(_lifetime.Stopped);

        Assert.False(nodeLock.IsHeld);
        Assert.Contains("already serves the database", Assert.Single(log.Messages), StringComparison.Ordinal);
        Assert.Equal(1, Environment.ExitCode);
        Environment.ExitCode = 0;
    }

    /// <summary>Lets time pass until the task has ended.</summary>
    private async Task InTime(Task task)
    {
        var late = Task.Delay(Patience);
        while (!task.IsCompleted && !late.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(250));
            await Task.WhenAny(task, Task.Delay(10));
        }
        Assert.True(task.IsCompleted, "It took too long.");
        await task;
    }

    private async Task TerminateHoldersAsync()
    {
        await using var connection = new NpgsqlConnection(_database!.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """, connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        private readonly TaskCompletionSource _stopped = new();

        internal Task Stopped => _stopped.Task;

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stopped.TrySetResult();
    }

    private sealed class CriticalLog : ILogger<NodeLock>
    {
        internal ConcurrentQueue<string> Messages { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Critical) Messages.Enqueue(formatter(state, exception));
        }
    }
}
