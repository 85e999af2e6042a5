using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Conversations;

/// <summary>A window as every read is answered, written straight: taken apart first, as an entity is, it would cost three times as much.</summary>
internal sealed class WindowResult(Read<MessageWindow> window) : IResult
{
    private sealed record Body(Items<MessageView> Items, string? Next, StreamCursor Cursor);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers[Answers.CursorHeader] = $"{window.Epoch}:{window.Seq}";
        return httpContext.Response.WriteAsJsonAsync(new Body(window.Value.Items, null, new StreamCursor(window.Epoch, window.Seq)), Wire.Json);
    }
}
