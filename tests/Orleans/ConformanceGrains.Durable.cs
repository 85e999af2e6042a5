namespace PersonaActors.Tests.Engine;

// Grains with timers, reminders and stored state.

/// <summary>In milliseconds; -1: never.</summary>
[GenerateSerializer, Immutable, Alias("tests.ClockSetting")]
public sealed record ClockSetting(
    [property: Id(0)] int Due, [property: Id(1)] int Period, [property: Id(2)] bool Interleave = false, [property: Id(3)] bool Fail = false);

[Alias("tests.IClockGrain")]
public interface IClockGrain : IGrainWithStringKey
{
    [Alias("Start")]
    Task Start(ClockSetting setting);

    [Alias("Change")]
    Task Change(ClockSetting setting);

    [Alias("Stop")]
    Task<int> Stop();

    [Alias("Ticks")]
    Task<int> Ticks();

    [AlwaysInterleave]
    [Alias("Ticked")]
    Task Ticked(int times);

    [Alias("TicksDuringThis")]
    Task<int> TicksDuringThis(int milliseconds);
}

public sealed class ClockGrain : Grain, IClockGrain
{
    private readonly List<(int Times, TaskCompletionSource Reached)> _waiting = [];
    private IGrainTimer? _timer;
    private int _ticks;

    public Task Start(ClockSetting setting)
    {
        _timer = this.RegisterGrainTimer(
            async cancellationToken =>
            {
                await Task.Yield();
                _ticks++;
                foreach (var (_, reached) in _waiting.Where(entry => entry.Times <= _ticks)) reached.TrySetResult();
                if (setting.Fail) throw new InvalidOperationException("A tick that fails.");
            },
            new GrainTimerCreationOptions
            {
                DueTime = TimeSpan.FromMilliseconds(setting.Due),
                Period = TimeSpan.FromMilliseconds(setting.Period),
                Interleave = setting.Interleave,
            });
        return Task.CompletedTask;
    }

    public Task Change(ClockSetting setting)
    {
        _timer!.Change(TimeSpan.FromMilliseconds(setting.Due), TimeSpan.FromMilliseconds(setting.Period));
        return Task.CompletedTask;
    }

    public Task<int> Stop()
    {
        _timer!.Dispose();
        return Task.FromResult(_ticks);
    }

    public Task<int> Ticks() => Task.FromResult(_ticks);

    public Task Ticked(int times)
    {
        if (_ticks >= times) return Task.CompletedTask;
        var reached = new TaskCompletionSource();
        _waiting.Add((times, reached));
        return reached.Task;
    }

    public async Task<int> TicksDuringThis(int milliseconds)
    {
        var before = _ticks;
        await Task.Delay(milliseconds);
        return _ticks - before;
    }
}

[Alias("tests.IBriefClockGrain")]
public interface IBriefClockGrain : IGrainWithStringKey
{
    [Alias("Start")]
    Task Start(int period, bool keepAlive);
}

[CollectionAgeLimit("00:00:02")]
public sealed class BriefClockGrain : Grain, IBriefClockGrain
{
    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Book.Write("deactivated");
        Book.Gate.TrySetResult();
        return Task.CompletedTask;
    }

    public Task Start(int period, bool keepAlive)
    {
        var time = TimeSpan.FromMilliseconds(period);
        this.RegisterGrainTimer(
            _ =>
            {
                Book.Write("tick");
                return Task.CompletedTask;
            },
            new GrainTimerCreationOptions { DueTime = time, Period = time, KeepAlive = keepAlive });
        return Task.CompletedTask;
    }
}

[Alias("tests.IRemindedGrain")]
public interface IRemindedGrain : IGrainWithStringKey
{
    [Alias("Remind")]
    Task Remind(string name, TimeSpan due, TimeSpan period);

    [Alias("RemindAndRetire")]
    Task RemindAndRetire(string name, TimeSpan due);

    [Alias("Has")]
    Task<bool> Has(string name);

    [Alias("Forget")]
    Task Forget(string name);
}

public sealed class RemindedGrain : Grain, IRemindedGrain, IRemindable
{
    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Book.Activated();
        return Task.CompletedTask;
    }

    public async Task Remind(string name, TimeSpan due, TimeSpan period)
    {
        var reminder = await this.RegisterOrUpdateReminder(name, due, period);
        if (reminder.ReminderName != name) throw new InvalidOperationException(reminder.ReminderName);
    }

    public async Task RemindAndRetire(string name, TimeSpan due)
    {
        await this.RegisterOrUpdateReminder(name, due, TimeSpan.FromMinutes(1));
        DeactivateOnIdle();
    }

    public async Task<bool> Has(string name) => await this.GetReminder(name) is not null;

    public async Task Forget(string name)
    {
        if (await this.GetReminder(name) is { } reminder) await this.UnregisterReminder(reminder);
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await Task.Yield();
        Book.Remind(reminderName, status);
    }
}
