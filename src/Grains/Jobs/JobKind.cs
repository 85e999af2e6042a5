namespace PersonaActors.Grains.Jobs;

/// <summary>
/// What one kind of job does, a part at a time. The grain keeps after each part how far it is (<see cref="JobStep.Cursor"/>);
/// after a crash it goes on with what was kept last, so a part may be done twice, and its effect must be once.
/// </summary>
public interface IJobKind
{
    /// <summary>At most 40 characters, in kebab case.</summary>
    string Name { get; }

    /// <summary>Does the next part: a second of work or so, since the job can only be cancelled, moved or told about in between. What can't be cut short heeds <paramref name="cancel"/>.</summary>
    /// <exception cref="JobFailedException">It can't be done, however often it is tried.</exception>
    Task<JobStep> Step(JobWork work, CancellationToken cancel);

    /// <summary>It won't go on: it was cancelled, or failed. Takes away what shall not stay, and says what stays. May be called twice.</summary>
    Task<string> Abandon(JobWork work);
}

/// <param name="Cursor">What the step before answered; an empty object at first.</param>
public sealed record JobWork(Guid Tenant, Guid Id, Guid? User, JsonText Input, JsonText Cursor);

/// <param name="Phase">What it is doing now, in a word of at most 40 characters.</param>
/// <param name="Report">The job is done, and this is what it did.</param>
public sealed record JobStep(JsonText Cursor, string Phase, long Done, long? Total, JsonText? Report = null);

/// <summary>The job can't be done, and the one who asked for it can mend that.</summary>
/// <param name="code">Stable, as of a problem.</param>
public sealed class JobFailedException(string code, string detail) : Exception(detail)
{
    public string Code => code;
}

/// <summary>All kinds of jobs that this silo does.</summary>
public sealed class JobKinds(IEnumerable<IJobKind> kinds)
{
    private readonly Dictionary<string, IJobKind> _kinds = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);

    public IJobKind? Find(string name) => _kinds.GetValueOrDefault(name);
}
