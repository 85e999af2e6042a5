using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Conversations;

/// <summary>A window as every read is answered: it comes ready from the desk.</summary>
internal sealed class WindowResult(WindowAnswer window) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers[Answers.CursorHeader] = $"{window.Epoch}:{window.Seq}";
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = window.Body.Length;
        return response.BodyWriter.WriteAsync(window.Body).AsTask();
    }
}
