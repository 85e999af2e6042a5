using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Realtime;

/// <summary>Streams over plain HTTP, as Server-Sent Events: curl and a browser's EventSource are clients.</summary>
public static class EventStreamEndpoint
{
    /// <summary>On one connection: an event's id tells of all of them.</summary>
    public const int MaxStreams = 50;

    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);
    private static readonly Refusal NoStream = new(RefusalKind.Invalid, "stream_required", "Name the stream in '?stream=', several by naming it several times.", "stream");
    private static readonly Refusal TooMany = Refusal.Invalid("stream", $"A connection has at most {MaxStreams} streams, each named once.");
    private static readonly Refusal BadCursor = Refusal.Invalid(
        "from", "'from' and Last-Event-ID are '{epoch}:{seq}', as an event's id; of several streams the id of an event of the same streams.");

    public static void MapEventStream(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/events", Serve).RequireAuthorization(Policies.Realtime).WithTags("Events")
            .WithSummary("Streams as Server-Sent Events: from now on, or after an event's id")
            .Produces<string>(200, "text/event-stream");

    private static async Task<IResult> Serve(
        HttpContext http, string[]? stream, string? from, ActingResolver who, Admission admission, ConnectionRoster roster, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        var streams = stream ?? [];
        refusal ??= streams is [] or [""] ? NoStream : streams.Length > MaxStreams || streams.Distinct().Count() < streams.Length ? TooMany : null;
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        // A browser that reconnects repeats the address and says with the header how far it got.
        var lastId = http.Request.Headers["Last-Event-ID"].ToString();
        if (StreamsCursor.Parse(lastId.Length > 0 ? lastId : from, streams.Length) is not { } cursor)
        {
            return BadCursor.ToResult();
        }

        var connection = new ServerSentConnection(http, acting!, time);
        try
        {
            await roster.Admit(connection);
            var found = await admission.Subscribe(connection, streams.Select((name, i) => new StreamRequest(name, cursor[i]?.Epoch, cursor[i]?.Seq)));
            if (found.Find(one => one.Subscription is null).Answer is { } refused)
            {
                return Problem(http, refused, streams.Length);
            }

            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-cache,no-store";
            http.Response.Headers["X-Accel-Buffering"] = "no";
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await http.Response.StartAsync(http.RequestAborted);
            for (var i = 0; i < streams.Length; i++)
            {
                var answer = found[i].Answer;
                // A version that the client has isn't the one it is about to get.
                cursor[i] = answer.Derived && cursor[i] is { } had ? had : (answer.Epoch!, answer.Reset ? answer.Newest!.Value : cursor[i]?.Seq ?? answer.Seq!.Value);
            }

            connection.Follow(cursor, found.ConvertAll(one => one.Answer.Stream));
            foreach (var (answer, _) in found)
            {
                connection.Send(new Notice(answer.Reset ? "reset" : "subscribed", answer, id: cursor.ToString()));
            }

            foreach (var (_, subscription) in found)
            {
                Admission.Start(subscription!);
            }

            await using var alive = time.CreateTimer(_ => connection.Send(Comment.Instance), null, KeepAlive, KeepAlive);
            await connection.Ended(http.RequestAborted);
            return Results.Empty;
        }
        finally
        {
            roster.Leave(connection);
            connection.Gone();
        }
    }

    private static IResult Problem(HttpContext http, StreamAnswer answer, int streams)
    {
        var refused = answer.Refused!;
        if (refused.RetryAfter is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return refused.Code switch
        {
            "invalid_cursor" => BadCursor.ToResult(),
            "database_unavailable" => throw new StorageUnavailableException(refused.Detail),
            "slow_down" => new Refusal(RefusalKind.TooMany, refused.Code, refused.Detail).ToResult(),
            _ => new Refusal(RefusalKind.NotFound, refused.Code, streams == 1 ? refused.Detail : $"{refused.Detail} It is '{answer.Stream}'.", "stream").ToResult(),
        };
    }

    private sealed class Comment : Frame
    {
        public static readonly Comment Instance = new();

        protected override string Method => "";

        protected override object?[] Arguments => [];

        protected override string ServerSentText() => ":\n\n";
    }

    private sealed class ServerSentConnection(HttpContext http, Acting acting, Clock time) : EventConnection(acting, time)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
        private StreamsCursor? _cursor;

        /// <summary>From now on an event's id tells where all of the streams stand.</summary>
        public void Follow(StreamsCursor cursor, IReadOnlyList<string> streams)
        {
            _cursor = cursor;
            for (var i = 0; i < streams.Count; i++)
            {
                _places[streams[i]] = i;
            }
        }

        public async Task Ended(CancellationToken gone)
        {
            await using var registration = gone.UnsafeRegister(static ended => ((TaskCompletionSource)ended!).TrySetResult(), _ended);
            await _ended.Task;
        }

        protected override async ValueTask Write(Frame frame) => await http.Response.BodyWriter.WriteAsync(Bytes(frame), http.RequestAborted);

        protected override int SizeOf(Frame frame) => frame.ServerSent.Length;

        /// <summary>Shared by all who get it, except where ids tell of more than the event: writes come one after the other, so they are made then.</summary>
        private byte[] Bytes(Frame frame) => _cursor is { Count: > 1 } cursor && frame is EventBatch batch
            ? Encoding.UTF8.GetBytes(batch.ServerSentText(e =>
            {
                cursor[_places[e.Stream]] = (e.Epoch, e.Seq);
                return cursor.ToString();
            }))
            : frame.ServerSent;

        protected override async ValueTask WriteReason(CloseReason reason)
        {
            if (http.Response.HasStarted)
            {
                await http.Response.BodyWriter.WriteAsync(new Notice("closed", reason).ServerSent, http.RequestAborted);
            }
        }

        protected override void End(bool taken)
        {
            if (!taken)
            {
                http.Abort();
            }

            _ended.TrySetResult();
        }
    }
}
