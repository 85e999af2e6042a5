using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// From committed events to the connections that listen. An event of this process comes straight from its grain, one of
/// another process as a hint; a relay per stream puts them in order and fills holes from the log. Hints may be lost:
/// every few seconds the positions of all streams that somebody listens to are compared with the log, so nothing is later
/// than that. The log is the truth; whoever can't be told the whole of it from here is cut and resumes.
/// </summary>
public sealed class EventPump : BackgroundService
{
    private const int PositionsPerRead = 1000;
    private static readonly TimeSpan CheckPeriod = TimeSpan.FromSeconds(5);
    private static readonly Meter Meter = new("PersonaActors.Gateway.Realtime");
    private static readonly Counter<long> LogReadsCounter = Meter.CreateCounter<long>("personactors.realtime.log_reads", description: "Reads of the event log for subscribers");

    private static readonly Counter<long> Resumes = Meter.CreateCounter<long>("personactors.realtime.resumes", description: "Streams that a client continued after a cursor");
    private static readonly Counter<long> Resets = Meter.CreateCounter<long>("personactors.realtime.resets", description: "Streams whose cursor the log could not serve");
    private static readonly Histogram<double> Lag = Meter.CreateHistogram<double>("personactors.realtime.event_lag", "s", "From an event's time to its hand-over to the gateway");
    private static readonly System.Diagnostics.ActivitySource Pushes = new("PersonaActors.Gateway");

    private readonly ConcurrentDictionary<(Guid? Tenant, string Stream), StreamRelay> _relays = new();
    private readonly Dependents _dependents = new();
    private readonly SemaphoreSlim _checking = new(1, 1);
    private readonly StreamDirectory _directory;
    private readonly Presence _presence;
    private readonly ConnectionRoster _roster;
    private readonly Database _database;
    private readonly EventLog _log;
    private readonly GatewayOptions _options;
    private readonly ILogger<EventPump> _logger;
    private long _logReads;
    private int _checkWanted;

    public EventPump(EventLog log, Database database, StreamDirectory directory, Presence presence, ConnectionRoster roster, GatewayOptions options, Clock time, ILogger<EventPump> logger)
    {
        _log = log;
        _database = database;
        _directory = directory;
        _presence = presence;
        _roster = roster;
        _options = options;
        _logger = logger;
        Time = time;
    }

    private sealed record EndedPersona(Guid PersonaId);

    /// <summary>How often the log was read for subscribers, since the start.</summary>
    public long LogReads => Volatile.Read(ref _logReads);

    internal Clock Time { get; }

    internal string Epoch => _database.Epoch;

    /// <summary>
    /// Answers a request for a stream and, if it may be, takes the connection in. Nothing is sent before
    /// <see cref="Start"/>, so that whoever needs to can send the answer first.
    /// </summary>
    internal async Task<(StreamAnswer Answer, Subscription? Subscription)> Subscribe(EventConnection connection, StreamRequest request)
    {
        if (request.After < 0)
        {
            return (StreamAnswer.No(request.Stream, StreamRefusal.BadCursor), null);
        }

        try
        {
            return await Look(connection.Acting, request.Stream) is not var (kind, sight)
                ? (StreamAnswer.No(request.Stream, StreamDirectory.NotFound), null)
                : await Enter(connection, request, kind, sight);
        }
        catch (Exception e) when (e is StorageUnavailableException or ActivationOutdatedException or TimeoutException || _options.IsEngineTransient(e))
        {
            return (StreamAnswer.No(request.Stream, StreamRefusal.Unavailable), null);
        }
    }

    internal static void Start(Subscription subscription) => subscription.Connection.CatchUp(subscription);

    public static void Unsubscribe(EventConnection connection, string stream)
    {
        if (connection.Remove(stream) is { } subscription)
        {
            subscription.Relay.Leave(subscription);
        }
    }

    /// <summary>An event was committed in this process.</summary>
    public void OnAnnounced(Announcement announced)
    {
        if (_relays.TryGetValue((announced.Tenant, announced.Event.Stream), out var relay) && relay is LogRelay log)
        {
            // The last span of the request that caused it.
            using var push = Pushes.HasListeners() ? Pushes.StartActivity("push", System.Diagnostics.ActivityKind.Internal, announced.Cause) : null;
            if (Lag.Enabled)
            {
                Lag.Record((Time.GetUtcNow() - announced.Event.At).TotalSeconds);
            }

            log.Post(announced.Event);
        }

        if (_directory.ChangesAccess(announced.Event.Stream, announced.Event.Type))
        {
            _dependents.AccessChanged(announced.Tenant, announced.Event.Stream);
        }
    }

    /// <summary>Told on its owner's stream, and before its own grain has forgotten it.</summary>
    public void OnPersonaDeleted(Announcement announced) =>
        Withdraw(announced.Tenant, StreamName.Persona(announced.Event.Data.Read<EndedPersona>().PersonaId), static _ => true);

    public void OnUserDeleted(Announcement announced) => _dependents.Withdraw(announced.Tenant, announced.Event.Stream);

    /// <summary>Another process says how far a stream goes.</summary>
    public void OnHint(EventHint hint)
    {
        if (_relays.TryGetValue((hint.Tenant, hint.Stream), out var relay) && relay is LogRelay log)
        {
            log.Hint(hint.Seq);
        }

        _dependents.Hinted(hint.Tenant, hint.Stream);
    }

    /// <summary>Takes a stream from those who lost it; each is told.</summary>
    public void Withdraw(Guid? tenant, string stream, Func<Acting, bool> from)
    {
        if (_relays.TryGetValue((tenant, stream), out var relay))
        {
            relay.Withdraw(from);
        }
    }

    /// <summary>Looks again at who may see a stream, after something that its own events don't tell.</summary>
    public Task Recheck(Guid? tenant, string stream) =>
        _relays.TryGetValue((tenant, stream), out var relay) ? relay.Recheck() : Task.CompletedTask;

    /// <summary>Compares all streams that somebody listens to with the log, or with what they are derived from. Done every few seconds, and when hints may have been lost.</summary>
    public async Task CheckPositions(CancellationToken cancel)
    {
        await _checking.WaitAsync(cancel);
        try
        {
            Volatile.Write(ref _checkWanted, 0);
            foreach (var (key, relay) in _relays)
            {
                if (relay.RetireIfIdle())
                {
                    Forget(relay);
                }
            }

            foreach (var derived in _relays.Values.OfType<DerivedRelay>())
            {
                derived.Changed();
            }

            _dependents.CheckHinted();
            var epoch = await _database.RefreshEpoch(cancel);
            var relays = _relays.Values.OfType<LogRelay>().Where(relay => relay.IsOpen).ToList();
            foreach (var relay in relays.Where(relay => relay.Epoch != epoch))
            {
                Drop(relay);
                relay.EpochChanged();
            }

            foreach (var tenant in relays.Where(relay => relay.Epoch == epoch).GroupBy(relay => relay.Tenant))
            {
                foreach (var some in tenant.Chunk(PositionsPerRead))
                {
                    await CheckPositions(tenant.Key, some, cancel);
                }
            }
        }
        catch (StorageUnavailableException)
        {
            _logger.LogWarning("The check of streams against the log waits for the database");
        }
        finally
        {
            _checking.Release();
        }
    }

    internal ValueTask<(StreamKind Kind, StreamSight Sight)?> Look(Acting acting, string? stream) => _directory.Look(acting, stream);

    internal void CountRead()
    {
        Interlocked.Increment(ref _logReads);
        LogReadsCounter.Add(1);
    }

    internal void ReadFailed(string stream, Exception e)
    {
        if (e is StorageUnavailableException or TimeoutException or ActivationOutdatedException)
        {
            _logger.LogWarning("Reading for stream {Stream} waits: {Reason}", stream, e.Message);
        }
        else
        {
            _logger.LogError(e, "Reading for stream {Stream} failed", stream);
        }
    }

    internal void Drop(StreamRelay relay)
    {
        relay.Retire();
        Forget(relay);
    }

    /// <summary>Wake-ups may have been lost, or the epoch may be another: not later than the next check, but now.</summary>
    public void CheckSoon()
    {
        if (Interlocked.Exchange(ref _checkWanted, 1) == 0)
        {
            _ = CheckPositions(CancellationToken.None);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var period = new PeriodicTimer(CheckPeriod, Time);
        while (await period.WaitForNextTickAsync(stoppingToken))
        {
            _roster.CloseStuck();
            try
            {
                await CheckPositions(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _logger.LogError(e, "The check of streams against the log failed");
            }
        }
    }

    private void Forget(StreamRelay relay)
    {
        _relays.TryRemove(new((relay.Tenant, relay.Stream), relay));
        _dependents.Remove(relay);
    }

    private async Task<(StreamAnswer, Subscription?)> Enter(EventConnection connection, StreamRequest request, StreamKind kind, StreamSight sight)
    {
        var stream = request.Stream!;
        while (true)
        {
            var relay = _relays.GetOrAdd((sight.Tenant, stream), static (key, state) => state.kind.Derived is null
                ? new LogRelay(state.pump, key.Tenant, key.Stream, state.kind, state.pump._log)
                : new DerivedRelay(state.pump, key.Tenant!.Value, key.Stream, state.kind), (pump: this, kind));
            var subscription = new Subscription(connection, relay, stream);
            _dependents.Add(relay, sight.LeansOn);
            if (!relay.Enter(subscription))
            {
                Forget(relay);
                continue;
            }

            try
            {
                // Access may have ended between the first look and being on the list of those who are looked at again.
                var again = kind.ChangesAccess is null ? (kind, sight) : await Look(connection.Acting, stream);
                var answer = again is not var (_, seen) ? StreamAnswer.No(stream, StreamDirectory.NotFound)
                    : relay is DerivedRelay derived ? await Answer(request, derived, subscription)
                    : await Answer(request, (LogRelay)relay, subscription, seen);
                if (answer.Refused is null && Keep(subscription))
                {
                    if (connection.Acting.User is { } user && Presence.PlaceOf(stream) is { } place)
                    {
                        subscription.Presence = _presence.Come(connection.Acting.Tenant, place, user);
                    }

                    return (answer, subscription);
                }

                relay.Leave(subscription);
                return (answer.Refused is null ? StreamAnswer.No(stream, new StreamRefusal(CloseReason.TooManyStreams.Code, CloseReason.TooManyStreams.Detail)) : answer, null);
            }
            catch
            {
                relay.Leave(subscription);
                throw;
            }
        }
    }

    private static bool Keep(Subscription subscription)
    {
        if (!subscription.Connection.Add(subscription, out var before))
        {
            subscription.Connection.Close(CloseReason.TooManyStreams);
            return false;
        }

        before?.Relay.Leave(before);
        return true;
    }

    private async Task<StreamAnswer> Answer(StreamRequest request, LogRelay relay, Subscription subscription, StreamSight sight)
    {
        await relay.Open(request.After);
        if (request.After is not { } after)
        {
            subscription.Cursor = relay.Head;
            return new StreamAnswer { Stream = relay.Stream, Epoch = relay.Epoch, Seq = subscription.Cursor, Replayed = 0 };
        }

        var sameEpoch = request.Epoch is null || request.Epoch == relay.Epoch;
        if (sameEpoch && !relay.Reaches(after))
        {
            await relay.CatchUpWithLog(after);
        }

        if (sameEpoch && relay.Reaches(after) && after + 1 >= relay.Oldest && (relay.Remembers(after) || await relay.PageAfter(after) is not null))
        {
            Resumes.Add(1);
            subscription.Cursor = after;
            var seq = Math.Max(after, relay.Head);
            return new StreamAnswer { Stream = relay.Stream, Epoch = relay.Epoch, Seq = seq, Replayed = seq - after };
        }

        if (sight.Epoch != relay.Epoch)
        {
            // The database was restored between the two reads.
            CheckSoon();
            return StreamAnswer.No(relay.Stream, StreamRefusal.Unavailable);
        }

        Resets.Add(1);
        subscription.Cursor = sight.Seq;
        return new StreamAnswer
        {
            Stream = relay.Stream,
            Epoch = relay.Epoch,
            Reset = true,
            Oldest = relay.Oldest,
            Newest = sight.Seq,
            State = sight.State(),
        };
    }

    private static async Task<StreamAnswer> Answer(StreamRequest request, DerivedRelay relay, Subscription subscription)
    {
        if (await relay.Current() is not { } state)
        {
            return StreamAnswer.No(relay.Stream, StreamDirectory.NotFound);
        }

        subscription.Version = request.Epoch ?? state.Version;
        return new StreamAnswer
        {
            Stream = relay.Stream,
            Epoch = state.Version,
            Seq = 1,
            Derived = true,
            Replayed = subscription.Version == state.Version ? 0 : 1,
        };
    }

    private async Task CheckPositions(Guid? tenant, LogRelay[] relays, CancellationToken cancel)
    {
        var told = relays.Select(relay => relay.Head).ToArray();
        Dictionary<string, StreamPosition> positions = [];
        if (tenant is { } id)
        {
            CountRead();
            positions = await _log.Positions(id, [.. relays.Select(relay => relay.Stream)], cancel);
        }
        else
        {
            foreach (var relay in relays)
            {
                CountRead();
                positions[relay.Stream] = await _log.Position(null, relay.Stream, cancel);
            }
        }

        for (var i = 0; i < relays.Length; i++)
        {
            relays[i].Check(positions.GetValueOrDefault(relays[i].Stream, new StreamPosition(0, 1)), told[i]);
        }
    }
}
