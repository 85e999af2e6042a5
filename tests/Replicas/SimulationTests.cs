namespace PersonaActors.Tests.Replicas;

/// <summary>The protocol by itself, in thousands of clusters that are had by chance; and that each of its rules is needed.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void Whatever_happens_to_silos_what_is_read_is_what_holds() =>
        Assert.True(FirstRed(Broken.Nothing, 2000) is not { } seed, seed is null ? "" : new Simulation(seed.Value, Broken.Nothing, told: true).Run());
}
