namespace PersonaActors.Contracts.Jobs;

/// <summary>One job. Key: <see cref="TenantScopedKey"/>. Its only writer, and the one that does the work.</summary>
[Alias("job")]
public interface IJobGrain : IGrainWithStringKey
{
    [Alias("start")]
    Task<Outcome<JobView>> Start(Command command, JobOrder order);

    [Alias("get"), AlwaysInterleave]
    Task<Read<JobView>?> Get();

    /// <summary>Ends it before it is done; the answer says what stays.</summary>
    [Alias("cancel")]
    Task<Outcome<JobView>> Cancel(Command command);

    /// <summary>Goes on with it, if it runs and nobody does.</summary>
    [Alias("wake")]
    Task Wake();
}

/// <param name="Kind">One of those that are registered.</param>
/// <param name="Input">What the kind needs to know. Nobody is shown it, and it goes when the job ends.</param>
/// <param name="File">The same of what is no JSON, or too large for it.</param>
[GenerateSerializer, Immutable, Alias("job-order")]
public sealed record JobOrder([property: Id(0)] string Kind, [property: Id(1)] Guid? User, [property: Id(2)] JsonText Input, [property: Id(3)] byte[]? File = null);

public static class JobRefusals
{
    public const string TooMany = "too_many_jobs";
    public const string Ended = "job_ended";
}
