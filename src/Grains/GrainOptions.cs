namespace PersonaActors.Grains;

public sealed record GrainOptions
{
    /// <summary>Prompts are served from memory while the database is away: for a node beside which nobody writes.</summary>
    public bool ServesWhenCutOff { get; init; }

    /// <summary>How much what a silo holds of others' grains may take, in bytes as estimated.</summary>
    public long ReplicaMemory { get; init; } = 512L * 1024 * 1024;
}
