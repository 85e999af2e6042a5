using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

public sealed class HoldingTests
{
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 1, 1);

    /// <param name="last">When the last request was sent that it answered; it answered all, each half second, since it came.</param>
    [Theory]
    [InlineData(null, 60.0, false)]
    [InlineData(60.0, 60.0, false)]
    [InlineData(60.0, 62.5, false)]
    [InlineData(60.0, 62.6, true)]
    [InlineData(5.0, 60.0, false)]
    [InlineData(8.0, 10.6, true)]
    public void Who_was_heard_for_long_and_not_for_two_and_a_half_seconds_is_silent(double? last, double now, bool silent)
    {
        using var holding = Heard(last);
        Assert.Equal(silent, holding.IsSilent(Other, TimeSpan.FromSeconds(now)));
    }

    [Fact]
    public void Who_comes_again_has_just_come_and_who_is_gone_is_not_silent()
    {
        using var holding = Heard(60);
        holding.Heard(Other, TimeSpan.FromSeconds(70), TimeSpan.FromSeconds(70));
        Assert.False(holding.IsSilent(Other, TimeSpan.FromSeconds(80)));

        using var gone = Heard(60);
        gone.Gone(Other);
        Assert.False(gone.IsSilent(Other, TimeSpan.FromSeconds(80)));
    }

    private static Holding Heard(double? last)
    {
        var holding = new Holding(SiloAddress.New(IPAddress.Loopback, 2, 1), 1000);
        for (var at = 0.0; at <= last; at += 0.5)
        {
            holding.Heard(Other, TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(at));
        }

        return holding;
    }
}
