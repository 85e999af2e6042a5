using System.Collections.Immutable;

namespace PersonaActors.Grains.Replicas;

/// <summary>One row of the membership table, as far as the protocol asks.</summary>
/// <param name="EndedItself">It left in order, or found that it had to: it had stopped by then.</param>
/// <param name="AliveAt">When it last said that it is alive, by the clock on the wall.</param>
public readonly record struct Member(SiloAddress Silo, bool IsActive, bool IsDead, bool EndedItself, DateTime AliveAt);

/// <summary>
/// Who belongs to the cluster, as one silo reads it from the table again and again, and when it lost somebody: such a silo may
/// go on for a while without knowing it.
/// </summary>
public sealed class Membership(SiloAddress self)
{
    private ImmutableHashSet<SiloAddress> _active = [self];
    private ImmutableHashSet<SiloAddress> _dead = [];
    private bool _hasRead;
    private TimeSpan? _lostAt;

    /// <summary>Whoever may hold replicas.</summary>
    public ImmutableHashSet<SiloAddress> Active => Volatile.Read(ref _active);

    /// <summary>Who is over. A silo that isn't active as far as this one has read may have begun since then, and hold what it was granted.</summary>
    public ImmutableHashSet<SiloAddress> Dead => Volatile.Read(ref _dead);

    /// <summary>When what a lost silo held has ended for sure.</summary>
    public TimeSpan SettledAt => _lostAt + Times.Silence ?? TimeSpan.Zero;

    public bool IsAftermath(TimeSpan now) => now < _lostAt + Times.Aftermath;

    /// <returns>Whether this silo is in it.</returns>
    public bool Saw(IReadOnlyList<Member> members, TimeSpan now, DateTime utcNow)
    {
        foreach (var member in members)
        {
            // At first every dead one may have been lost just now, but for those that have been silent for long. Later also one
            // that was never seen alive: it came and went while this silo didn't look.
            var isNews = !_hasRead ? member.AliveAt > utcNow - Times.Aftermath : !_dead.Contains(member.Silo);
            if (member is { IsDead: true, EndedItself: false } && isNews)
            {
                _lostAt = now;
            }
        }

        _hasRead = true;
        Volatile.Write(ref _dead, [.. members.Where(member => member.IsDead).Select(member => member.Silo)]);
        Volatile.Write(ref _active, [.. members.Where(member => member.IsActive).Select(member => member.Silo)]);
        return Active.Contains(self);
    }
}
