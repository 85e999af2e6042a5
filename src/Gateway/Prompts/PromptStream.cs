using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Prompts;

public static class PromptStreamComposition
{
    public static void AddPromptStream(this IServiceCollection services)
    {
        services.AddSingleton<PromptStream>();
    }
}

/// <summary>
/// <c>prompt:{user}:{personality}</c>: a derived stream whose cursor is the prompt's version. While somebody listens it
/// follows what goes into the prompt, by the names of its streams; when one of those moves, the desk says what the prompt is
/// made of now, and if the version is another, that is told with what changed. On a silo a thing moves when its replica is
/// taken back, and at no other time; a gateway without grains hears of it by the hints of the log. So a personality used by many costs one event
/// when it changes, and work only for those of its prompts that somebody watches.
/// </summary>
public sealed class PromptStream
{
    public const string Name = "prompt";
    public const string Changed = "prompt.changed";

    private readonly ConcurrentDictionary<(Guid Tenant, string Pair), Watch> _watches = new();
    private readonly ConcurrentDictionary<(Guid? Tenant, string Stream), ConcurrentDictionary<Watch, byte>> _byStream = new();

    private readonly IPromptDesk _desk;
    private readonly ActingResolver _who;
    private readonly bool _hearsOfDrops;

    /// <param name="keeper">None in a gateway without grains.</param>
    public PromptStream(IPromptDesk desk, ActingResolver who, Keeper? keeper = null)
    {
        _desk = desk;
        _who = who;
        if (keeper is not null)
        {
            _hearsOfDrops = true;
            keeper.Dropped += key => Moved(key.Tenant, ToldBy(key));
            keeper.Lost += AllMoved;
        }
    }

    public StreamKind ToKind() => new(Name, Look) { Derived = new Derivation(Read, Follow, MayMiss: !_hearsOfDrops) };

    /// <summary>Another process says that something happened on a stream.</summary>
    public void OnHint(EventHint hint)
    {
        if (!_hearsOfDrops)
        {
            Moved(hint.Tenant, hint.Stream);
        }
    }

    /// <summary>The stream that tells what happens to it.</summary>
    private static string ToldBy(ReplicaKey key) => key.Kind switch
    {
        ReplicaKind.User => StreamName.User(key.Id),
        ReplicaKind.Persona => StreamName.Persona(key.Id),
        ReplicaKind.Personality => StreamName.Personality(key.Id),
        ReplicaKind.UserPersona => StreamName.UserPersona(key.Id),
        ReplicaKind.Tenant => StreamName.Tenant(key.Tenant),
        ReplicaKind.Catalogue => StreamName.Catalogue(key.Tenant == Guid.Empty ? null : key.Tenant),
        ReplicaKind.Session => StreamName.Session(key.Id),
        // Which session a person began has no stream of its own.
        ReplicaKind.Sessions => StreamName.Companion(key.Id),
        ReplicaKind.Mindscape => StreamName.Mindscape(key.Id),
        ReplicaKind.Mapper => StreamName.Mapper(key.Id),
        ReplicaKind.Channel => StreamName.Channel(key.Name!),
        _ => "",
    };

    private void Moved(Guid? tenant, string stream)
    {
        if (_byStream.TryGetValue((tenant, stream), out var watches))
        {
            foreach (var watch in watches.Keys)
            {
                watch.Tell();
            }
        }
    }

    /// <summary>Anything may have moved.</summary>
    private void AllMoved()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Tell();
        }
    }

    private void Add((Guid? Tenant, string Stream) key, Watch watch)
    {
        ConcurrentDictionary<Watch, byte> watches;
        do
        {
            watches = _byStream.GetOrAdd(key, static _ => new());
            watches[watch] = 0;
        }
        while (!_byStream.TryGetValue(key, out var current) || current != watches);
    }

    private void Remove((Guid? Tenant, string Stream) key, Watch watch)
    {
        if (_byStream.TryGetValue(key, out var watches) && watches.TryRemove(watch, out _) && watches.IsEmpty && _byStream.TryRemove(new(key, watches)))
        {
            foreach (var late in watches.Keys)
            {
                // It came in just before the set was taken away.
                Add(key, late);
            }
        }
    }

    private async ValueTask<StreamSight?> Look(Acting acting, string rest)
    {
        if (Parse(rest) is not var (user, personality) || !await _who.MayActFor(acting, user))
        {
            return null;
        }

        // As the user alone would see it: that is also how the stream reads it.
        return await Trace(acting.Tenant, user, personality) is { } trace
            ? new StreamSight(acting.Tenant, trace.Version, 1, () => JsonText.From(new { trace.Version }))
            : null;
    }

    private async ValueTask<DerivedState?> Read(Guid tenant, string rest)
    {
        if (Parse(rest) is not var (user, personality) || await Trace(tenant, user, personality) is not { } trace)
        {
            return null;
        }

        var changed = _watches.TryGetValue((tenant, rest), out var watch) ? watch.Learn(trace) : [];
        return new DerivedState(trace.Version, Changed, JsonText.From(new { trace.Version, changed }), trace.IsSettled);
    }

    private IDisposable Follow(Guid tenant, string rest, Action changed)
    {
        var (user, personality) = Parse(rest)!.Value;
        var watch = new Watch(this, tenant, rest, changed);
        _watches[(tenant, rest)] = watch;
        watch.On(tenant, StreamName.User(user));
        watch.On(tenant, StreamName.Companion(user));
        watch.On(tenant, StreamName.Personality(personality));
        watch.On(tenant, StreamName.Catalogue(tenant));
        watch.On(tenant, StreamName.Tenant(tenant));
        return watch;
    }

    private async ValueTask<PromptTrace?> Trace(Guid tenant, Guid user, Guid personality) =>
        (await _desk.Trace(tenant, user, new Actor(ActorKind.User, user), new PromptRequest(PromptSpeaker.Personality, personality))).Value;

    /// <summary>One spelling per stream, or two relays would serve it.</summary>
    private static (Guid User, Guid Personality)? Parse(string rest)
    {
        var colon = rest.IndexOf(':');
        return colon > 0 && Guid.TryParseExact(rest.AsSpan(0, colon), "D", out var user) && Guid.TryParseExact(rest.AsSpan(colon + 1), "D", out var personality)
            && rest == $"{user}:{personality}"
            ? (user, personality)
            : null;
    }

    /// <summary>One prompt that somebody listens to.</summary>
    private sealed class Watch(PromptStream owner, Guid tenant, string rest, Action changed) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly HashSet<(Guid? Tenant, string Stream)> _streams = [];
        private PromptTrace? _last;
        private string? _persona;
        private string? _session;
        private bool _over;

        public void Tell() => changed();

        public void On(Guid? of, string stream)
        {
            lock (_lock)
            {
                if (!_over && _streams.Add((of, stream)))
                {
                    owner.Add((of, stream), this);
                }
            }
        }

        /// <summary>Follows the persona and the session that it is now, and says what moved since the last time.</summary>
        public Items<PromptPart> Learn(PromptTrace trace)
        {
            Turn(ref _persona, StreamName.Persona(trace.Persona));
            Turn(ref _session, trace.Session is { } session ? StreamName.Session(session) : null);
            var before = _last;
            _last = trace;
            return before is null ? [] : trace.ChangedSince(before);
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _over = true;
                foreach (var (of, stream) in _streams)
                {
                    Drop(of, stream);
                }

                _streams.Clear();
            }

            owner._watches.TryRemove(new((tenant, rest), this));
        }

        private void Turn(ref string? followed, string? stream)
        {
            if (followed == stream)
            {
                return;
            }

            if (followed is not null)
            {
                Off(tenant, followed);
            }

            followed = stream;
            if (stream is not null)
            {
                On(tenant, stream);
                // It may have moved between being read and being followed.
                Tell();
            }
        }

        private void Off(Guid? of, string stream)
        {
            lock (_lock)
            {
                _streams.Remove((of, stream));
                Drop(of, stream);
            }
        }

        private void Drop(Guid? of, string stream) => owner.Remove((of, stream), this);
    }
}
