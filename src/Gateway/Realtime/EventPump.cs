using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// From committed events to the connections that listen. An event of this process comes straight from its grain, one of
/// another process as a hint; a relay per stream puts them in order and fills holes from the log. Connections come in by
/// <see cref="Admission"/>; what was lost on the way <see cref="LogCheck"/> finds. The log is the truth; whoever can't be
/// told the whole of it from here is cut and resumes.
/// </summary>
public sealed class EventPump(EventLog log, Database database, StreamDirectory directory, Clock time, ILogger<EventPump> logger)
{
    internal static readonly Meter Meter = new("PersonaActors.Gateway.Realtime");
    private static readonly Counter<long> LogReadsCounter = Meter.CreateCounter<long>("personactors.realtime.log_reads", description: "Reads of the event log for subscribers");
    private static readonly Histogram<double> Lag = Meter.CreateHistogram<double>("personactors.realtime.event_lag", "s", "From an event's time to its hand-over to the gateway");
    private static readonly System.Diagnostics.ActivitySource Pushes = new("PersonaActors.Gateway");

    private readonly ConcurrentDictionary<(Guid? Tenant, string Stream), StreamRelay> _relays = new();
    private readonly Dependents _dependents = new();
    private readonly Channel<DerivedRelay> _toRead = Channel.CreateUnbounded<DerivedRelay>(new UnboundedChannelOptions { SingleReader = true });
    private long _logReads;

    private sealed record EndedPersona(Guid PersonaId);

    /// <summary>How often the log was read for subscribers, since the start.</summary>
    public long LogReads => Volatile.Read(ref _logReads);

    internal Clock Time => time;

    internal string Epoch => database.Epoch;

    internal event Action? CheckWanted;

    /// <summary>Derived streams that may have another state; each is in it once at most.</summary>
    internal Channel<DerivedRelay> ToRead => _toRead;

    internal ICollection<StreamRelay> Relays => _relays.Values;

    /// <summary>An event was committed in this process.</summary>
    public void OnAnnounced(Announcement announced)
    {
        if (_relays.TryGetValue((announced.Tenant, announced.Event.Stream), out var relay) && relay is LogRelay stored)
        {
            // The last span of the request that caused it.
            using var push = Pushes.HasListeners() ? Pushes.StartActivity("push", System.Diagnostics.ActivityKind.Internal, announced.Cause) : null;
            if (Lag.Enabled)
            {
                Lag.Record((Time.GetUtcNow() - announced.Event.At).TotalSeconds);
            }

            stored.Post(announced.Event);
        }

        if (directory.ChangesAccess(announced.Event.Stream, announced.Event.Type))
        {
            _dependents.AccessChanged(announced.Tenant, announced.Event.Stream);
        }
    }

    /// <summary>Told on its owner's stream, and before its own grain has forgotten it.</summary>
    public void OnPersonaDeleted(Announcement announced) =>
        _relays.GetValueOrDefault((announced.Tenant, StreamName.Persona(announced.Event.Data.Read<EndedPersona>().PersonaId)))?.Withdraw();

    public void OnUserDeleted(Announcement announced) => _dependents.Withdraw(announced.Tenant, announced.Event.Stream);

    /// <summary>An event that is stored nowhere: for who listens now.</summary>
    public void OnPassing(Guid? tenant, StreamEvent passing)
    {
        if (_relays.TryGetValue((tenant, passing.Stream), out var relay) && relay is LogRelay stored)
        {
            stored.Pass(passing);
        }
    }

    /// <summary>Another process says how far a stream goes.</summary>
    public void OnHint(EventHint hint)
    {
        if (hint.Passing is { } passing)
        {
            OnPassing(hint.Tenant, passing);
            return;
        }

        if (_relays.TryGetValue((hint.Tenant, hint.Stream), out var relay) && relay is LogRelay stored)
        {
            stored.Hint(hint.Seq);
        }

        _dependents.Hinted(hint.Tenant, hint.Stream);
    }

    /// <summary>Wake-ups may have been lost, or the epoch may be another: not at the next check, but now.</summary>
    public void CheckSoon() => CheckWanted?.Invoke();

    /// <summary>The relay of a stream, made for the first who comes.</summary>
    internal StreamRelay RelayOf(StreamKind kind, StreamSight sight, string stream)
    {
        var relay = _relays.GetOrAdd((sight.Tenant, stream), static (key, state) => state.kind.Derived is null
            ? new LogRelay(state.pump, key.Tenant, key.Stream, state.kind, state.log)
            : new DerivedRelay(state.pump, key.Tenant!.Value, key.Stream, state.kind), (pump: this, kind, log));
        _dependents.Add(relay, sight.LeansOn);
        return relay;
    }

    internal void RetireIdle()
    {
        foreach (var relay in _relays.Values)
        {
            if (relay.RetireIfIdle())
            {
                Forget(relay);
            }
        }
    }

    /// <summary>What isn't in the log is looked at again instead.</summary>
    internal void CheckDerived()
    {
        foreach (var derived in _relays.Values.OfType<DerivedRelay>().Where(derived => derived.MayMiss))
        {
            derived.Changed();
        }

        _dependents.CheckHinted();
    }

    internal ValueTask<(StreamKind Kind, StreamSight Sight)?> Look(Acting acting, string? stream) => directory.Look(acting, stream);

    internal void CountRead()
    {
        Interlocked.Increment(ref _logReads);
        LogReadsCounter.Add(1);
    }

    internal void ReadFailed(string stream, Exception e)
    {
        if (e is StorageUnavailableException or TimeoutException or ActivationOutdatedException)
        {
            logger.LogWarning("Reading for stream {Stream} waits: {Reason}", stream, e.Message);
        }
        else
        {
            logger.LogError(e, "Reading for stream {Stream} failed", stream);
        }
    }

    internal void Drop(StreamRelay relay)
    {
        relay.Retire();
        Forget(relay);
    }

    internal void Forget(StreamRelay relay)
    {
        _relays.TryRemove(new((relay.Tenant, relay.Stream), relay));
        _dependents.Remove(relay);
    }
}
