using PersonaActors.Contracts.Presence;

namespace PersonaActors.Grains.Presence;

/// <summary>
/// See <see cref="IPresenceGrain"/>; the rules are <see cref="Attendance"/>'s. Time passes here when somebody tells or asks
/// something: a gateway at which somebody listens does so every few seconds, and where nobody listens it doesn't matter.
/// </summary>
[CollectionAgeLimit(Minutes = 2)]
public sealed class PresenceGrain(Clock time) : Grain, IPresenceGrain
{
    private readonly string _activation = Guid.NewGuid().ToString("N")[..8];
    private readonly DateTimeOffset _begun = time.GetUtcNow();
    private readonly Dictionary<string, IPresenceWatcher> _watchers = [];
    private Attendance _attendance = Attendance.Nobody;
    private PresenceChange _last = PresenceChange.None;
    private long _changes;

    private PresenceView View => new(new PresenceVersion(_activation, _changes), _last, _attendance.Online());

    public Task<PresenceVersion?> Tell(PresenceReport report, IPresenceWatcher? watcher)
    {
        var now = time.GetUtcNow();
        var next = _attendance;
        if (report.Version is { } seen && seen.Activation != _activation && now - _begun < Attendance.LeaveAfter)
        {
            if (report.Seen is null)
            {
                return Task.FromResult<PresenceVersion?>(null);
            }

            next = next.Recall(report.Seen, now);
        }

        _watchers.Remove(report.Gateway);
        Become(next.Hear(report.Gateway, report.Here, now), recalled: report.Seen is not null);
        if (watcher is not null)
        {
            _watchers[report.Gateway] = watcher;
        }

        return Task.FromResult<PresenceVersion?>(new PresenceVersion(_activation, _changes));
    }

    public Task<PresenceView> Who()
    {
        Become(_attendance.At(time.GetUtcNow()), recalled: false);
        return Task.FromResult(View);
    }

    private void Become(Attendance next, bool recalled)
    {
        var before = _attendance;
        _attendance = next;
        PresenceChange[] changes =
        [
            .. before.Stays.Keys.Where(user => !next.Stays.ContainsKey(user)).Select(user => new PresenceChange(Left: user)),
            .. next.Stays.Keys.Where(user => !before.Stays.ContainsKey(user)).Select(user => new PresenceChange(Joined: user)),
        ];
        if (changes.Length == 0)
        {
            return;
        }

        // Who was recalled didn't come now.
        _last = recalled ? PresenceChange.None : changes[^1];
        _changes += changes.Length;
        foreach (var gone in _watchers.Keys.Where(gateway => !next.Gateways.ContainsKey(gateway)).ToList())
        {
            _watchers.Remove(gone);
        }

        var view = View;
        foreach (var watcher in _watchers.Values)
        {
            watcher.Changed(this.GetPrimaryKeyString(), view).Ignore();
        }
    }
}
