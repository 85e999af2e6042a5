using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Something on its way to clients. It is turned into bytes once for each protocol and then shared by all who get it,
/// whatever their number.
/// </summary>
public abstract class Frame
{
    private SerializedHubMessage? _hub;
    private byte[]? _serverSent;

    /// <summary>As a call of the hub's client.</summary>
    public SerializedHubMessage Hub
    {
        get
        {
            // It serialises lazily under its own lock, so all must get the same one.
            return _hub ?? Interlocked.CompareExchange(ref _hub, new SerializedHubMessage(new InvocationMessage(Method, Arguments)), null) ?? _hub;
        }
    }

    public byte[] ServerSent => _serverSent ??= Encoding.UTF8.GetBytes(ServerSentText());

    protected abstract string Method { get; }

    protected abstract object?[] Arguments { get; }

    protected abstract string ServerSentText();

    protected static string ServerSentText(string type, string? id, string data) =>
        id is null ? $"event: {type}\ndata: {OneLine(data)}\n\n" : $"event: {type}\nid: {id}\ndata: {OneLine(data)}\n\n";

    // JSON may be stored with line breaks between its tokens; within strings they are escaped.
    private static string OneLine(string json) => json.AsSpan().ContainsAny('\r', '\n') ? json.ReplaceLineEndings(" ") : json;
}

/// <summary>Consecutive events of one stream.</summary>
public sealed class EventBatch : Frame
{
    public const int MaxEvents = 64;
    public const int MaxWeight = 64 * 1024;

    private readonly StreamEvent[] _events;
    private EventBatch? _guised;

    public EventBatch(StreamEvent[] events)
    {
        _events = events;
        Weight = WeightOf(events);
    }

    public long First => _events[0].Seq;

    public long Last => _events[^1].Seq;

    /// <summary>About how many bytes it is on the wire.</summary>
    public int Weight { get; }

    protected override string Method => "events";

    protected override object?[] Arguments => [_events];

    public static int WeightOf(StreamEvent e) => e.Data.Json.Length + 250;

    /// <summary>What of it lies behind a number.</summary>
    public EventBatch After(long seq) => First > seq ? this : new EventBatch(_events[(int)(seq + 1 - First)..]);

    /// <summary>The same for those who see less of it; made once for all of them.</summary>
    public EventBatch In(Guise guise) => _guised ??= new EventBatch(Array.ConvertAll(_events, e => guise.Show(e)));

    /// <summary>Cuts a run of events into batches of bounded size.</summary>
    public static IEnumerable<EventBatch> Cut(IReadOnlyList<StreamEvent> events)
    {
        var start = 0;
        var weight = 0;
        for (var i = 0; i < events.Count; i++)
        {
            weight += WeightOf(events[i]);
            if (weight >= MaxWeight || i + 1 - start == MaxEvents || i + 1 == events.Count)
            {
                yield return new EventBatch([.. events.Skip(start).Take(i + 1 - start)]);
                start = i + 1;
                weight = 0;
            }
        }
    }

    protected override string ServerSentText() => ServerSentText(static e => $"{e.Epoch}:{e.Seq}");

    /// <param name="id">Of an event, in place of its own.</param>
    public string ServerSentText(Func<StreamEvent, string> id)
    {
        var text = new StringBuilder();
        foreach (var e in _events)
        {
            text.Append(ServerSentText(e.Type, id(e), JsonSerializer.Serialize(e, Wire.Json)));
        }

        return text.ToString();
    }

    private static int WeightOf(StreamEvent[] events)
    {
        var weight = 0;
        foreach (var e in events)
        {
            weight += WeightOf(e);
        }

        return weight;
    }
}

/// <summary>An event that is stored nowhere. It has no number, so it is no place to go on from.</summary>
public sealed class PassingEvent(StreamEvent e) : Frame
{
    protected override string Method => "events";

    protected override object?[] Arguments => [new[] { e }];

    protected override string ServerSentText() => ServerSentText(e.Type, null, JsonSerializer.Serialize(e, Wire.Json));
}

/// <summary>Something said to one client that is no event of a stream.</summary>
public sealed class Notice(string method, object? argument, string? type = null, string? id = null) : Frame
{
    public static Notice Revoked(string stream) => new("revoked", stream);

    public static Notice TokenExpiring(int seconds) => new("tokenExpiring", seconds, "token-expiring");

    protected override string Method => method;

    protected override object?[] Arguments => [argument];

    protected override string ServerSentText() => ServerSentText(type ?? method, id, JsonSerializer.Serialize(argument, Wire.Json));
}
