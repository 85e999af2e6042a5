using Microsoft.Extensions.Time.Testing;

namespace PersonaActors.Tests.Harness;

public static class FakeTime
{
    /// <summary>The one clock of a test, moved by the test alone. It starts at a random instant, so that a stray read of the real clock shows.</summary>
    public static FakeTimeProvider Start(DateTimeOffset? at = null) =>
        new(at ?? new DateTimeOffset(2031, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(Random.Shared.Next(0, 10 * 365 * 86400)));

    /// <summary>Days in which nothing rings: what does so every second would in each of them a hundred thousand times.</summary>
    public static void Skip(this FakeTimeProvider clock, TimeSpan time) => clock.AdjustTime(clock.GetUtcNow() + time);
}
