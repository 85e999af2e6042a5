namespace PersonaActors.Grains.Replicas;

/// <summary>An owner's side of the protocol (<see cref="Holding"/>), in one activation: who holds its view, and who has to drop it.</summary>
public sealed class Granting
{
    private readonly HashSet<SiloAddress> _holders = [];
    private int _underWay;

    /// <summary>Whom a predecessor noted isn't known, until everybody was told once.</summary>
    private bool _anybodyMayHold = true;

    /// <summary>The first change of an activation is told to everybody, and waits until lost silos hold nothing any more.</summary>
    public bool IsFirstChange => _anybodyMayHold;

    /// <summary>How many changes came to their end.</summary>
    public long Ended { get; private set; }

    /// <summary>Whether the silo may keep the view that it is answered. While a change is under way nobody may.</summary>
    public bool Grant(SiloAddress holder) => _underWay == 0 && (_holders.Add(holder) || true);

    /// <summary>From now on nothing is granted.</summary>
    /// <returns>Who has to drop it before the change goes on.</returns>
    public SiloAddress[] Begin(IEnumerable<SiloAddress> members)
    {
        _underWay++;
        return _anybodyMayHold ? [.. _holders.Union(members)] : [.. _holders];
    }

    /// <summary>All have said so, or were waited out.</summary>
    public void TakenBack()
    {
        _anybodyMayHold = false;
        _holders.Clear();
    }

    /// <summary>What is in memory is what is committed, whether or not the change was made.</summary>
    public void End()
    {
        _underWay--;
        Ended++;
    }
}
