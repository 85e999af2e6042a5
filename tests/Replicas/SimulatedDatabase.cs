using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

/// <summary>The database: each statement happens at one moment, in the order in which they come.</summary>
internal sealed class SimulatedDatabase(Observed observed, Func<DateTime> utcNow)
{
    private readonly Dictionary<SiloAddress, Member> _members = [];
    private readonly Dictionary<ReplicaKey, Row> _rows = [];
    private int _membershipVersion;

    /// <param name="Membership">Its version at the same moment.</param>
    public sealed record Row(long Version, long Epoch, int Membership);

    public sealed record Table(int Version, Member[] Members);

    /// <summary>Null if the row isn't as the statement says.</summary>
    public sealed record Changed(Row? Row);

    public IEnumerable<SiloAddress> Active => _members.Values.Where(member => member.IsActive).Select(member => member.Silo);

    public bool IsDead(SiloAddress silo) => _members.TryGetValue(silo, out var member) && member.IsDead;

    public void Insert(ReplicaKey key)
    {
        _rows[key] = new Row(0, 0, 0);
        observed.Committed(key);
    }

    public void Joins(SiloAddress silo) => Set(new Member(silo, IsActive: true, IsDead: false, EndedItself: false, utcNow()));

    public void Dies(SiloAddress silo, bool endedItself) => Set(_members[silo] with { IsActive = false, IsDead = true, EndedItself = endedItself });

    public Table ReadMembership(SiloAddress asking)
    {
        if (_members.TryGetValue(asking, out var member) && member.IsActive)
        {
            _members[asking] = member with { AliveAt = utcNow() };
        }

        return new Table(_membershipVersion, [.. _members.Values]);
    }

    public Row Load(ReplicaKey key) => _rows[key] with { Membership = _membershipVersion };

    /// <param name="epoch">None for a new activation: it claims the row from whomever.</param>
    public Changed Claim(ReplicaKey key, long? epoch)
    {
        var row = Load(key);
        return new Changed(row.Epoch == (epoch ?? row.Epoch) ? _rows[key] = row with { Epoch = row.Epoch + 1 } : null);
    }

    public Changed Commit(ReplicaKey key, long version, long epoch)
    {
        var row = _rows[key];
        if (row.Version != version || row.Epoch != epoch)
        {
            return new Changed(null);
        }

        observed.Committed(key);
        return new Changed(_rows[key] = row with { Version = version + 1 });
    }

    private void Set(Member member)
    {
        _members[member.Silo] = member;
        _membershipVersion++;
    }
}
