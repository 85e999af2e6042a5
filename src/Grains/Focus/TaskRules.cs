using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What a change makes of a task.</summary>
public static class TaskRules
{
    public static PlannedTask New(TaskChange task, DateTimeOffset now) => new(
        Guid.CreateVersion7(now), task.Title.Value ?? "", task.Energy.Value, task.Ease.Value, task.Status.Value ?? PlannedStatus.Open,
        task.EstimateMinutes.Value, now, now, 1);

    public static PlannedTask Changed(PlannedTask task, TaskChange change, DateTimeOffset now) => task with
    {
        Title = change.Title.Over(task.Title) ?? "",
        Energy = change.Energy.Over(task.Energy),
        Ease = change.Ease.Over(task.Ease),
        Status = change.Status.Over(task.Status) ?? PlannedStatus.Open,
        EstimateMinutes = change.EstimateMinutes.Over(task.EstimateMinutes),
        UpdatedAt = now,
        Version = task.Version + 1,
    };
}
