namespace PersonaActors.Grains;

public sealed record GrainOptions
{
    /// <summary>Prompts are served from memory while the database is away: for a node beside which nobody writes.</summary>
    public bool ServesWhenCutOff { get; init; }
}
