using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Realtime;

/// <summary>One stream over plain HTTP, as Server-Sent Events: curl and a browser's EventSource are clients.</summary>
public static class EventStreamEndpoint
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);
    private static readonly Refusal BadCursor = Refusal.Invalid("from", "'from' and Last-Event-ID are '{epoch}:{seq}', as an event's id.");

    public static void MapEventStream(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/events", Serve).RequireAuthorization(Policies.Realtime).WithTags("Events")
            .WithSummary("A stream as Server-Sent Events: from now on, or after {epoch}:{seq}")
            .Produces<string>(200, "text/event-stream").ProducesProblem(400).ProducesProblem(404);

    private static async Task<IResult> Serve(
        HttpContext http, string? stream, string? from, ActingResolver who, Admission admission, ConnectionRoster roster, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        // A browser that reconnects repeats the address and says with the header how far it got.
        var lastId = http.Request.Headers["Last-Event-ID"].ToString();
        if (!TryCursor(lastId.Length > 0 ? lastId : from, out var epoch, out var after))
        {
            return BadCursor.ToResult();
        }

        var connection = new ServerSentConnection(http, acting!, time);
        try
        {
            await roster.Admit(connection);
            var (answer, subscription) = await admission.Subscribe(connection, new StreamRequest(stream, epoch, after));
            if (subscription is null)
            {
                return Problem(answer.Refused!);
            }

            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-cache,no-store";
            http.Response.Headers["X-Accel-Buffering"] = "no";
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await http.Response.StartAsync(http.RequestAborted);
            connection.Send(answer.Reset
                ? new Notice("reset", answer, id: $"{answer.Epoch}:{answer.Newest}")
                : new Notice("subscribed", answer, id: $"{answer.Epoch}:{after ?? answer.Seq}"));
            Admission.Start(subscription);
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

    private static IResult Problem(StreamRefusal refused) => refused.Code switch
    {
        "invalid_cursor" => BadCursor.ToResult(),
        "database_unavailable" => throw new StorageUnavailableException(refused.Detail),
        _ => new Refusal(RefusalKind.NotFound, refused.Code, refused.Detail).ToResult(),
    };

    private static bool TryCursor(string? text, out string? epoch, out long? after)
    {
        (epoch, after) = (null, null);
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !long.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
        {
            return false;
        }

        (epoch, after) = (text[..colon], seq);
        return true;
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

        public async Task Ended(CancellationToken gone)
        {
            await using var registration = gone.UnsafeRegister(static ended => ((TaskCompletionSource)ended!).TrySetResult(), _ended);
            await _ended.Task;
        }

        protected override async ValueTask Write(Frame frame) => await http.Response.BodyWriter.WriteAsync(frame.ServerSent, http.RequestAborted);

        protected override int SizeOf(Frame frame) => frame.ServerSent.Length;

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
