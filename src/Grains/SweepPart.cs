using PersonaActors.Storage;

namespace PersonaActors.Grains;

/// <summary>
/// Which part of all that is due this silo wakes: as many parts as silos are active, in the order of their addresses. While
/// the silos' views of the membership differ, for moments, something may be woken twice or not yet. None for a silo that
/// isn't active, which has its part no more or not yet.
/// </summary>
public static class SweepPart
{
    public static Part? Of(IClusterMembershipService membership, SiloAddress self) =>
        Of(membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress), self);

    public static Part? Of(IEnumerable<SiloAddress> active, SiloAddress self)
    {
        var silos = active.Order().ToList();
        var index = silos.IndexOf(self);
        return index < 0 ? null : new Part(index, silos.Count);
    }
}
