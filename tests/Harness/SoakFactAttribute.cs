namespace PersonaActors.Tests.Harness;

/// <summary>What takes longer than twenty seconds: run by ./test --soak.</summary>
public sealed class SoakFactAttribute : FactAttribute
{
    public SoakFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("PERSONA_SOAK") is null)
        {
            Skip = "It takes longer than twenty seconds: ./test --soak";
        }
    }
}
