namespace PersonaActors.Engine;

/// <summary>A grain that reminders may be delivered to.</summary>
public interface IRemindable : IGrain
{
    Task ReceiveReminder(string reminderName, TickStatus status);
}

/// <summary>A registered reminder, good for unregistering it.</summary>
public interface IGrainReminder
{
    string ReminderName { get; }
}

#pragma warning disable CA1815 // Nobody compares ticks.
/// <summary>When a tick comes and should have come; all in UTC.</summary>
[GenerateSerializer, Immutable]
public readonly struct TickStatus(DateTime firstTickTime, TimeSpan period, DateTime timeStamp)
{
    [Id(0)]
    public DateTime FirstTickTime { get; } = firstTickTime;

    [Id(1)]
    public TimeSpan Period { get; } = period;

    [Id(2)]
    public DateTime CurrentTickTime { get; } = timeStamp;

    public override string ToString() => $"<{FirstTickTime}, {Period}, {CurrentTickTime}>";
}
#pragma warning restore CA1815

public static class GrainReminderExtensions
{
    /// <summary>Stores a reminder of the grain, in place of one of the same name. The shortest period is a minute.</summary>
    public static Task<IGrainReminder> RegisterOrUpdateReminder(
        this IGrainBase grain, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reminderName);
        if (grain is not IRemindable)
            throw new InvalidOperationException($"{grain?.GetType().Name} has no reminders: it does not implement {nameof(IRemindable)}.");
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.Zero);
        if (period < Reminders.ShortestPeriod)
            throw new ArgumentException($"The period of reminder {reminderName} is {period}; the shortest is {Reminders.ShortestPeriod}.", nameof(period));
        var activation = (Activation)grain.GrainContext;
        return activation.Kind.Engine.Reminders.RegisterAsync(activation, reminderName, dueTime, period);
    }

    public static Task UnregisterReminder(this IGrainBase grain, IGrainReminder reminder)
    {
        ArgumentNullException.ThrowIfNull(grain);
        ArgumentNullException.ThrowIfNull(reminder);
        var activation = (Activation)grain.GrainContext;
        return activation.Kind.Engine.Reminders.UnregisterAsync(activation, reminder.ReminderName);
    }

    /// <summary>Null: there is none of that name.</summary>
    public static Task<IGrainReminder?> GetReminder(this IGrainBase grain, string reminderName)
    {
        ArgumentNullException.ThrowIfNull(grain);
        ArgumentException.ThrowIfNullOrWhiteSpace(reminderName);
        var activation = (Activation)grain.GrainContext;
        return activation.Kind.Engine.Reminders.GetAsync(activation, reminderName);
    }
}
