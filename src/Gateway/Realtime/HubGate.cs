using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Realtime;

/// <summary>Stands before the hub: finds out for whom the connection will listen, and keeps foreign pages out, whom CORS doesn't keep from WebSockets.</summary>
public sealed class HubGate(RequestDelegate next, ActingResolver who, GatewayOptions options)
{
    public Task Invoke(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<Microsoft.AspNetCore.SignalR.HubMetadata>() is null || HttpMethods.IsOptions(http.Request.Method)
            ? next(http)
            : Admit(http);

    private async Task Admit(HttpContext http)
    {
        if (!LocalOnly.IsOwn(http.Request, options))
        {
            await Problems.Write(http, LocalOnly.ForeignOrigin);
            return;
        }

        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            await Problems.Write(http, refusal);
            return;
        }

        http.SetActing(acting!);
        var stock = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var answer = new Answer(http.Response, stock);
        http.Features.Set<IHttpResponseBodyFeature>(answer);
        await next(http);
        http.Features.Set(stock);
        if (answer.IsRefusal)
        {
            http.Response.ContentLength = null;
            await Problems.Write(http, http.Response.StatusCode == StatusCodes.Status404NotFound
                ? Problems.Of(StatusCodes.Status404NotFound, "connection_not_found", "There is no such connection, or it is over: negotiate again.")
                : Problems.Of(http.Response.StatusCode));
        }
    }

    /// <summary>What SignalR answers, except where it refuses: those words of its own aren't sent, so that a problem can be.</summary>
    private sealed class Answer(HttpResponse response, IHttpResponseBodyFeature stock) : IHttpResponseBodyFeature
    {
        private PipeWriter? _unsent;

        public bool IsRefusal => !response.HasStarted && response.StatusCode >= StatusCodes.Status400BadRequest;

        public Stream Stream => IsRefusal ? Stream.Null : stock.Stream;

        public PipeWriter Writer => IsRefusal ? _unsent ??= PipeWriter.Create(Stream.Null) : stock.Writer;

        public void DisableBuffering() => stock.DisableBuffering();

        public Task StartAsync(CancellationToken cancellationToken = default) => IsRefusal ? Task.CompletedTask : stock.StartAsync(cancellationToken);

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            stock.SendFileAsync(path, offset, count, cancellationToken);

        public Task CompleteAsync() => stock.CompleteAsync();
    }
}

internal static class ActingOfConnection
{
    private static readonly object Key = new();

    public static Acting Acting(this HttpContext http) => (Acting)http.Items[Key]!;

    public static void SetActing(this HttpContext http, Acting acting) => http.Items[Key] = acting;
}
