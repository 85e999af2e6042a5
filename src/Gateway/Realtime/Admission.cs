using System.Diagnostics.Metrics;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Lets connections into streams: looks whether they may see them, and finds where they go on: from now on, after their
/// cursor, or, where the log no longer serves that, from the state.
/// </summary>
public sealed class Admission(EventPump pump, Presence presence, StreamDirectory directory, CallerLimits limits)
{
    /// <summary>How many streams are looked at side by side, and before it is asked again whether too many of them weren't there.</summary>
    private const int AtOnce = 50;

    private static readonly Counter<long> Resumes = EventPump.Meter.CreateCounter<long>("personactors.realtime.resumes", description: "Streams that a client continued after a cursor");
    private static readonly Counter<long> Resets = EventPump.Meter.CreateCounter<long>("personactors.realtime.resets", description: "Streams whose cursor the log could not serve");

    /// <summary>
    /// Answers requests for streams, in order, and takes the connection into those that it may see. Nothing is sent before
    /// <see cref="Start"/>, so that whoever needs to can send the answer first. A stream that isn't there costs a look all the
    /// same; so who names too many of them is refused before the next look.
    /// </summary>
    internal async Task<List<(StreamAnswer Answer, Subscription? Subscription)>> Subscribe(EventConnection connection, IEnumerable<StreamRequest> requests)
    {
        var caller = connection.Acting.Caller;
        var answers = new List<(StreamAnswer Answer, Subscription? Subscription)>();
        foreach (var some in requests.Chunk(AtOnce))
        {
            if (limits.MissedTooOften(caller, out var wait))
            {
                answers.AddRange(some.Select(request => (StreamAnswer.No(request.Stream, StreamRefusal.SlowDown(wait)), (Subscription?)null)));
                continue;
            }

            var found = await Task.WhenAll(some.Select(request => Subscribe(connection, request)));
            limits.Missed(caller, found.Count(one => one.Answer.Refused == StreamDirectory.NotFound));
            answers.AddRange(found);
        }

        return answers;
    }

    private async Task<(StreamAnswer Answer, Subscription? Subscription)> Subscribe(EventConnection connection, StreamRequest request)
    {
        if (request.After < 0)
        {
            return (StreamAnswer.No(request.Stream, StreamRefusal.BadCursor), null);
        }

        try
        {
            request = request with { Stream = await directory.Spell(connection.Acting, request.Stream) };
            return await pump.Look(connection.Acting, request.Stream) is not var (kind, sight)
                ? (StreamAnswer.No(request.Stream, StreamDirectory.NotFound), null)
                : await Enter(connection, request, kind, sight);
        }
        catch (Exception e) when (e.MayPass())
        {
            return (StreamAnswer.No(request.Stream, StreamRefusal.Unavailable), null);
        }
    }

    internal static void Start(Subscription subscription) => subscription.Connection.CatchUp(subscription);

    public async Task Unsubscribe(EventConnection connection, string stream, bool maySpell)
    {
        if ((connection.Remove(stream) ?? (maySpell && await directory.Spell(connection.Acting, stream) is { } spelled ? connection.Remove(spelled) : null)) is { } subscription)
        {
            subscription.Relay.Leave(subscription);
        }
    }

    private async Task<(StreamAnswer, Subscription?)> Enter(EventConnection connection, StreamRequest request, StreamKind kind, StreamSight sight)
    {
        var stream = request.Stream!;
        while (true)
        {
            var relay = pump.RelayOf(kind, sight, stream);
            var subscription = new Subscription(connection, relay, stream) { Guise = sight.Guise };
            if (!relay.Enter(subscription))
            {
                pump.Forget(relay);
                continue;
            }

            try
            {
                // Access may have ended between the first look and being on the list of those who are looked at again.
                var again = kind.ChangesAccess is null ? (kind, sight) : await pump.Look(connection.Acting, stream);
                if (again is var (_, other) && other.Guise != sight.Guise)
                {
                    sight = other;
                    relay.Leave(subscription);
                    continue;
                }

                var answer = again is not var (_, seen) ? StreamAnswer.No(stream, StreamDirectory.NotFound)
                    : relay is DerivedRelay derived ? await Answer(request, derived, subscription)
                    : await Answer(request, (LogRelay)relay, subscription, seen);
                if (answer.Refused is null && Keep(subscription))
                {
                    if (connection.Acting.User is { } user && Presence.PlaceOf(stream) is { } place)
                    {
                        subscription.Presence = presence.Come(connection.Acting.Tenant, place, user);
                        if (subscription.Ended)
                        {
                            subscription.Presence.Dispose();
                        }
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
        var epoch = $"{relay.Epoch}{subscription.Guise?.Mark}";
        if (request.After is not { } after)
        {
            subscription.Cursor = relay.Head;
            return new StreamAnswer { Stream = relay.Stream, Epoch = epoch, Seq = subscription.Cursor, Replayed = 0 };
        }

        var sameEpoch = request.Epoch is null || request.Epoch == epoch;
        if (sameEpoch && !relay.Reaches(after))
        {
            await relay.CatchUpWithLog(after);
        }

        if (sameEpoch && relay.Reaches(after) && after + 1 >= relay.Oldest && (relay.Remembers(after) || await relay.PageAfter(after) is not null))
        {
            Resumes.Add(1);
            subscription.Cursor = after;
            var seq = Math.Max(after, relay.Head);
            return new StreamAnswer { Stream = relay.Stream, Epoch = epoch, Seq = seq, Replayed = seq - after };
        }

        if (sight.Epoch != epoch)
        {
            // The database was restored between the two reads.
            pump.CheckSoon();
            return StreamAnswer.No(relay.Stream, StreamRefusal.Unavailable);
        }

        Resets.Add(1);
        subscription.Cursor = sight.Seq;
        return new StreamAnswer
        {
            Stream = relay.Stream,
            Epoch = epoch,
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
}
