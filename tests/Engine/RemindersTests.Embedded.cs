using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Engine;

/// <summary>Reminders on our clock and our table: what the conformance suite can't wait for.</summary>
[Collection("engine")]
public sealed class RemindersTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeClock _clock = new();
    private readonly List<IHost> _hosts = [];
    private TestDatabase? _database;

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }
        await _database!.DisposeAsync();
    }

    private static string NewKey() => $"key-{Guid.NewGuid():N}";

    private async Task<(IHost Host, IGrainFactory Grains)> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.AddSingleton(new Greeting("Hello"));
        builder.Services.AddEngine(options =>
        {
            options.GrainAssemblies.Add(typeof(RemindersTests).Assembly);
            options.ConnectionString = _database!.App;
        });
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync();
        return (host, host.Services.GetRequiredService<IGrainFactory>());
    }

    [Fact]
    public async Task A_reminder_is_never_early_and_hardly_late()
    {
        var (_, grains) = await StartAsync();
        var key = NewKey();
        var due = _clock.GetUtcNow() + TimeSpan.FromMinutes(7.123456);
        await grains.GetGrain<IRemindedGrain>(key).Remind("tea", TimeSpan.FromMinutes(7.123456), Minute);
        _clock.Advance(TimeSpan.FromMinutes(7));
        var status = await InTime(Logbook.Of(key).Told("tea"), TimeSpan.FromMilliseconds(100));
        Assert.InRange(status.CurrentTickTime, due.UtcDateTime, due.UtcDateTime.AddSeconds(2));
    }

    [Fact]
    public async Task Ticks_that_nothing_ran_for_come_as_one()
    {
        var (host, grains) = await StartAsync();
        var key = NewKey();
        var first = _clock.GetUtcNow() + TimeSpan.FromHours(1);
        await grains.GetGrain<IRemindedGrain>(key).Remind("tea", TimeSpan.FromHours(1), Minute);
        await host.StopAsync();
        _clock.Advance(TimeSpan.FromHours(3) + TimeSpan.FromSeconds(10));

        await StartAsync();
        var status = await Logbook.Of(key).Told("tea").WaitAsync(Patience);
        Assert.Equal(_clock.GetUtcNow().UtcDateTime, status.CurrentTickTime);
        Assert.InRange(status.FirstTickTime, first.UtcDateTime, first.UtcDateTime.AddMicroseconds(1));
        Assert.Equal(first + TimeSpan.FromHours(2) + Minute, await SettledAsync(key, before: _clock.GetUtcNow()), TimeSpan.FromMilliseconds(1));
        Assert.Equal(["reminded tea"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_tick_that_was_not_answered_is_delivered_again_by_the_next_process()
    {
        var (host, grains) = await StartAsync();
        var key = NewKey();
        await grains.GetGrain<IStubbornGrain>(key).Remind(StubbornGrain.Waits);
        await InTime(Logbook.Of(key).Reached.Task);
        using var patience = new CancellationTokenSource();
        var stopping = host.StopAsync(patience.Token);
        await patience.CancelAsync();
        await stopping.WaitAsync(Patience);

        await StartAsync();
        await InTime(Logbook.Of(key).Told(StubbornGrain.Waits));
        Assert.Equal(["began", "began", $"reminded {StubbornGrain.Waits}"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_reminder_registered_anew_while_it_is_delivered_stands_as_registered()
    {
        var (_, grains) = await StartAsync();
        var key = NewKey();
        await grains.GetGrain<IStubbornGrain>(key).Remind(StubbornGrain.Postpones);
        var status = await InTime(Logbook.Of(key).Told(StubbornGrain.Postpones));
        var due = await SettledAsync(key, before: _clock.GetUtcNow());
        Assert.InRange(due, status.CurrentTickTime + StubbornGrain.Later, status.CurrentTickTime + StubbornGrain.Later + TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_grain_that_fails_on_its_reminder_gets_the_next_tick()
    {
        var (_, grains) = await StartAsync();
        var key = NewKey();
        await grains.GetGrain<IStubbornGrain>(key).Remind(StubbornGrain.FailsOnce);
        await InTime(Logbook.Of(key).Told(StubbornGrain.FailsOnce));
        Assert.Equal(["failed", $"reminded {StubbornGrain.FailsOnce}"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task Thousands_due_at_once_are_each_delivered_once()
    {
        var (_, grains) = await StartAsync();
        var prefix = NewKey();
        await SqlAsync($"""
            INSERT INTO reminders (grain, key, name, first_at, period, due_at)
            SELECT 'tallied', '{prefix}', 'r' || i, at, interval '1 hour', at
            FROM generate_series(1, 5000) i, (VALUES (timestamptz '{_clock.GetUtcNow().AddSeconds(5):O}')) t (at)
            """);
        Assert.Equal(0, await grains.GetGrain<ITalliedGrain>(prefix).Reminded());
        await InTime(grains.GetGrain<ITalliedGrain>(prefix).RemindedAtLeast(5000));
        Assert.Equal(5000, await grains.GetGrain<ITalliedGrain>(prefix).Reminded());
        await SettledAsync(prefix, before: _clock.GetUtcNow());
        Assert.Equal(5000, await grains.GetGrain<ITalliedGrain>(prefix).Reminded());
    }

    [Fact]
    public async Task A_reminder_of_a_class_that_is_gone_holds_nobody_up()
    {
        var (_, grains) = await StartAsync();
        var (orphan, key) = (NewKey(), NewKey());
        await SqlAsync($"""
            INSERT INTO reminders (grain, key, name, first_at, period, due_at)
            SELECT 'nolongerhere', '{orphan}', 'r', at, interval '1 hour', at FROM (VALUES (timestamptz '{_clock.GetUtcNow():O}')) t (at)
            """);
        await grains.GetGrain<IRemindedGrain>(key).Remind("tea", TimeSpan.FromSeconds(1), Minute);
        await InTime(Logbook.Of(key).Told("tea"));
        await SettledAsync(orphan, before: _clock.GetUtcNow());
    }

    [Fact]
    public async Task Without_a_database_a_reminder_is_refused_in_words()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddEngine(options => options.GrainAssemblies.Add(typeof(RemindersTests).Assembly));
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync();
        var grain = host.Services.GetRequiredService<IGrainFactory>().GetGrain<IRemindedGrain>(NewKey());
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => grain.Remind("tea", Minute, Minute));
        Assert.Contains("ConnectionString", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Lets time pass until the task has ended.</summary>
    private async Task<T> InTime<T>(Task<T> task, TimeSpan? step = null)
    {
        await InTime((Task)task, step);
        return await task;
    }

    private async Task InTime(Task task, TimeSpan? step = null)
    {
        var late = Task.Delay(Patience);
        while (!task.IsCompleted && !late.IsCompleted)
        {
            _clock.Advance(step ?? TimeSpan.FromSeconds(1));
            await Task.WhenAny(task, Task.Delay(5));
        }
        Assert.True(task.IsCompleted, "It took too long.");
        await task;
    }

    /// <summary>When all reminders of the key are due next, once that is after <paramref name="before"/>.</summary>
    private async Task<DateTime> SettledAsync(string key, DateTimeOffset before)
    {
        await using var connection = new NpgsqlConnection(_database!.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT min(due_at) FROM reminders WHERE key = $1", connection);
        command.Parameters.Add(new() { Value = key });
        var late = Task.Delay(Patience);
        while (true)
        {
            var due = (DateTime)(await command.ExecuteScalarAsync())!;
            if (due > before) return due;
            Assert.False(late.IsCompleted, "It was never settled.");
        }
    }

    private async Task SqlAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database!.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

public interface IStubbornGrain : IGrainWithStringKey
{
    Task Remind(string name);
}

public sealed class StubbornGrain : Grain, IStubbornGrain, IRemindable
{
    internal const string Waits = "waits the first time";
    internal const string Postpones = "postpones";
    internal const string FailsOnce = "fails once";
    internal static readonly TimeSpan Later = TimeSpan.FromHours(5);

    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public Task Remind(string name) =>
        this.RegisterOrUpdateReminder(name, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        switch (reminderName)
        {
            case Waits:
                Book.Write("began");
                if (Book.Reached.TrySetResult()) await Book.Gate.Task;
                break;
            case Postpones:
                await this.RegisterOrUpdateReminder(reminderName, Later, TimeSpan.FromMinutes(1));
                break;
            case FailsOnce when Book.Entries.Count == 0:
                Book.Write("failed");
                throw new InvalidOperationException("Once.");
        }
        Book.Remind(reminderName, status);
    }
}

public interface ITalliedGrain : IGrainWithStringKey
{
    Task<int> Reminded();

    [AlwaysInterleave]
    [ResponseTimeout("01:00:00")]
    Task RemindedAtLeast(int times);
}

public sealed class TalliedGrain : Grain, ITalliedGrain, IRemindable
{
    private readonly TaskCompletionSource _enough = new();
    private int _reminded;
    private int _expected = int.MaxValue;

    public Task<int> Reminded() => Task.FromResult(_reminded);

    public Task RemindedAtLeast(int times)
    {
        _expected = times;
        return _reminded >= times ? Task.CompletedTask : _enough.Task;
    }

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (++_reminded >= _expected) _enough.TrySetResult();
        return Task.CompletedTask;
    }
}
