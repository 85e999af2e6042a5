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
    private bool _hasRead;
    private TimeSpan? _lostAt;

    /// <summary>Whoever may hold replicas.</summary>
    public ImmutableHashSet<SiloAddress> Active => Volatile.Read(ref _active);

    /// <summary>When what a lost silo held has ended for sure.</summary>
    public TimeSpan SettledAt => _lostAt + Times.Silence ?? TimeSpan.Zero;

    public bool IsAftermath(TimeSpan now) => now < _lostAt + Times.Aftermath;

    /// <returns>Whether this silo is in it.</returns>
    public bool Saw(IReadOnlyList<Member> members, TimeSpan now, DateTime utcNow)
    {
        foreach (var member in members)
        {
            // At first every dead one may have been lost just now, but for those that have been silent for long.
            var isNews = !_hasRead ? member.AliveAt > utcNow - Times.Aftermath : _active.Contains(member.Silo);
            if (member is { IsDead: true, EndedItself: false } && isNews)
            {
                _lostAt = now;
            }
        }

        _hasRead = true;
        Volatile.Write(ref _active, [.. members.Where(member => member.IsActive).Select(member => member.Silo)]);
        return Active.Contains(self);
    }
}
