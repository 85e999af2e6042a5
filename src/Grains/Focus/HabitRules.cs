using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>How a session changes the habit. Days are the person's local dates.</summary>
public static class HabitRules
{
    public const double LostPerMissedDay = 0.05;

    /// <summary>A session in which nobody was at work counts for nothing.</summary>
    public static Habit After(Habit habit, DateOnly day, double activeMinutes, double? score)
    {
        if (activeMinutes <= 0)
        {
            return habit;
        }

        var gain = (activeMinutes < 10 ? 0 : activeMinutes < 25 ? 0.1 : 0.2) * (score ?? 0.5);
        // A traveller going west may end a session on a day before the last: it counts as the same day.
        if (habit.LastDay is { } last && day <= last)
        {
            return habit with { Strength = Clamp(habit.Strength + gain) };
        }

        var streak = habit.LastDay is { } before && day.DayNumber - before.DayNumber == 1 ? habit.Streak + 1 : 1;
        return new Habit(streak, Clamp(On(habit, day).Strength + gain), day);
    }

    /// <summary>The habit as it stands on a day without having done anything on it: the first missed day is free, and a streak with a hole is over.</summary>
    public static Habit On(Habit habit, DateOnly day)
    {
        if (habit.LastDay is not { } last || day <= last)
        {
            return habit;
        }

        var missed = day.DayNumber - last.DayNumber - 1;
        return habit with
        {
            Streak = missed > 0 ? 0 : habit.Streak,
            Strength = Clamp(habit.Strength - (LostPerMissedDay * Math.Max(0, missed - 1))),
        };
    }

    private static double Clamp(double strength) => Math.Round(Math.Clamp(strength, 0, 1), 6);
}
