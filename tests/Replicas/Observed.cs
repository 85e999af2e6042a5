using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

/// <summary>
/// What was committed, acknowledged and read in a simulation, checked as it happens: whatever begins after somebody saw a version
/// sees it or a later one. Whoever reads takes <see cref="Floor"/> first.
/// </summary>
internal sealed class Observed(Func<TimeSpan> now)
{
    private readonly Dictionary<ReplicaKey, List<(TimeSpan Committed, TimeSpan Seen)>> _versions = [];

    public string? Violation { get; private set; }

    public int Reads { get; private set; }

    public int Writes { get; private set; }

    public void Committed(ReplicaKey key)
    {
        if (!_versions.TryGetValue(key, out var versions))
        {
            _versions[key] = versions = [];
        }

        versions.Add((now(), TimeSpan.MaxValue));
    }

    public void Acknowledged(ReplicaKey key, long version)
    {
        Writes++;
        Seen(key, version);
    }

    /// <summary>The highest version that anybody saw.</summary>
    public long Floor(ReplicaKey key) => _versions[key].FindLastIndex(version => version.Seen < TimeSpan.MaxValue);

    public void Read(ReplicaKey key, long version, long floor)
    {
        Reads++;
        if (version < floor)
        {
            Violation ??= $"{Name(key)}: {version} was read after {floor} had been seen";
        }
        else if (version >= _versions[key].Count)
        {
            Violation ??= $"{Name(key)}: {version} was read and never committed";
        }
        else
        {
            Seen(key, version);
        }
    }

    /// <summary>A version holds at the latest until its successor was seen, at the earliest since it was committed.</summary>
    public void ReadTogether(ReplicaKey key, long version, ReplicaKey other, long otherVersion)
    {
        if (EndOf(key, version) < _versions[other][(int)otherVersion].Committed || EndOf(other, otherVersion) < _versions[key][(int)version].Committed)
        {
            Violation ??= $"{Name(key)} {version} and {Name(other)} {otherVersion} were read together and never held at once";
        }
    }

    public static string Name(ReplicaKey key) => $"{(char)('x' + key.Id.ToByteArray()[0])}";

    private TimeSpan EndOf(ReplicaKey key, long version) => version + 1 < _versions[key].Count ? _versions[key][(int)version + 1].Seen : TimeSpan.MaxValue;

    private void Seen(ReplicaKey key, long version)
    {
        var versions = _versions[key];
        for (var i = (int)version; i >= 0 && versions[i].Seen == TimeSpan.MaxValue; i--)
        {
            versions[i] = versions[i] with { Seen = now() };
        }
    }
}
