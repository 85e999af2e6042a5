namespace PersonaActors.Tests.Harness;

/// <summary>What takes longer than twenty seconds: run by ./test --soak.</summary>
public sealed class SoakFactAttribute : FactAttribute
{
    internal static readonly string? NotNow =
        Environment.GetEnvironmentVariable("PERSONA_SOAK") is null ? "It takes longer than twenty seconds: ./test --soak" : null;

    public SoakFactAttribute() => Skip = NotNow;
}

public sealed class SoakTheoryAttribute : TheoryAttribute
{
    public SoakTheoryAttribute() => Skip = SoakFactAttribute.NotNow;
}
