namespace PersonaActors.Contracts.Jobs;

public enum JobStatus
{
    Running,
    Done,
    Failed,
    Cancelled,
}

/// <summary>Why a job ended before it was done.</summary>
[GenerateSerializer, Immutable, Alias("job-failure")]
public sealed record JobFailure([property: Id(0)] string Code, [property: Id(1)] string Detail);

/// <summary>A job as its maker sees it. How far it is, is as it was told last: about once a second.</summary>
/// <param name="UserId">For whom; none for the tenant's.</param>
/// <param name="CreatedBy">The key that asked for it.</param>
/// <param name="Phase">What it is doing, in a word of its kind's.</param>
/// <param name="Total">Of how many; none as long as that isn't known.</param>
/// <param name="Report">What it did, as its kind tells it; only of one that is done.</param>
/// <param name="Stays">What is left of one that was cancelled or failed.</param>
[GenerateSerializer, Immutable, Alias("job-view")]
public sealed record JobView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Kind,
    [property: Id(2)] Guid? UserId,
    [property: Id(3)] Guid? CreatedBy,
    [property: Id(4)] JobStatus Status,
    [property: Id(5)] string Phase,
    [property: Id(6)] long Done,
    [property: Id(7)] long? Total,
    [property: Id(8)] JsonText? Report,
    [property: Id(9)] JobFailure? Failure,
    [property: Id(10)] string? Stays,
    [property: Id(11)] long Version,
    [property: Id(12)] DateTimeOffset CreatedAt,
    [property: Id(13)] DateTimeOffset UpdatedAt,
    [property: Id(14)] DateTimeOffset? EndedAt);
