using PersonaActors.Grains;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Focus;

public sealed class SweepPartTests
{
    [Fact]
    public void Silos_that_see_the_same_membership_have_all_parts_between_them_and_none_twice()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 500; round++)
        {
            var silos = Enumerable.Range(0, random.Next(1, 12))
                .Select(_ => SiloAddress.New(IPAddress.Loopback, random.Next(1, 65535), random.Next(1, int.MaxValue))).Distinct().ToArray();
            // Each has its own order of the same view.
            var parts = silos.Select(silo => SweepPart.Of(silos.OrderBy(_ => random.Next()), silo)!.Value).ToList();
            Assert.All(parts, part => Assert.Equal(silos.Length, part.Of));
            Assert.Equal(Enumerable.Range(0, silos.Length), parts.Select(part => part.Index).Order());
        }
    }

    [Fact]
    public void A_silo_that_is_not_active_has_no_part()
    {
        var (one, other) = (SiloAddress.New(IPAddress.Loopback, 1, 1), SiloAddress.New(IPAddress.Loopback, 2, 1));
        Assert.Null(SweepPart.Of([one], other));
        Assert.Equal(Part.Whole, SweepPart.Of([one], one));
    }
}
