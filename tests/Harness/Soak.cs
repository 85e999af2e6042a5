namespace PersonaActors.Tests.Harness;

/// <summary>What takes long: whole in ./test --soak, and what can be had of it in seconds always.</summary>
public static class Soak
{
    public static readonly bool IsOn = Environment.GetEnvironmentVariable("PERSONA_SOAK") is not null;

    public static readonly string? NotNow = IsOn ? null : "It takes longer than twenty seconds: ./test --soak";

    public static T Of<T>(T always, T soak) => IsOn ? soak : always;
}

public sealed class SoakFactAttribute : FactAttribute
{
    public SoakFactAttribute() => Skip = Soak.NotNow;
}

public sealed class SoakTheoryAttribute : TheoryAttribute
{
    public SoakTheoryAttribute() => Skip = Soak.NotNow;
}
