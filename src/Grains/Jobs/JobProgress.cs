namespace PersonaActors.Grains.Jobs;

/// <summary>How far a job is: the only thing that Orleans' grain storage keeps.</summary>
[GenerateSerializer, Alias("job-progress")]
public sealed class JobProgress
{
    /// <summary>Of the provider, and of the state: the trigger that takes it away with its job names it too (sql/0030).</summary>
    public const string Storage = "jobs";
    public const string State = "job";

    [Id(0)]
    public JsonText Cursor { get; set; } = JsonText.EmptyObject;

    [Id(1)]
    public string Phase { get; set; } = "";

    [Id(2)]
    public long Done { get; set; }

    [Id(3)]
    public long? Total { get; set; }

    /// <summary>Set when the work is done and only has to be told.</summary>
    [Id(4)]
    public JsonText? Report { get; set; }

    /// <summary>How often in a row a part failed.</summary>
    [Id(5)]
    public int Failures { get; set; }
}
