using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;

namespace PersonaActors.Gateway.Prompts;

public sealed record PromptBody(string? Message, Dictionary<string, string>? Variables);

/// <summary>As the founding document's buildPrompt names it.</summary>
public sealed record UserPersonaPromptBody(string? UserMessage, string? Message, Dictionary<string, string>? Variables);

/// <summary>
/// The resolved prompt over HTTP. The desk answers with ready UTF-8, which is written as it is; a request without
/// anything of its own has an ETag, and is answered 304 where nothing moved.
/// </summary>
public static class PromptEndpoints
{
    public static void MapPrompts(this IEndpointRouteBuilder routes)
    {
        // Taken once: a request for each of these would cost as much as the prompt.
        var who = routes.ServiceProvider.GetRequiredService<ActingResolver>();
        var index = routes.ServiceProvider.GetRequiredService<PersonalityIndex>();
        var desk = routes.ServiceProvider.GetRequiredService<IPromptDesk>();
        routes.MapGet("/v1/personalities/{personality}/prompt", (HttpContext http, string personality) => Personality(http, personality, null, who, index, desk))
            .WithMetadata(TakesLane.Prompt).WithSummary("The resolved prompt of a user with a personality, with the source of every field").Answers(repeatable: true);
        routes.MapPost("/v1/personalities/{personality}/prompt", (HttpContext http, string personality, PromptBody body) =>
            Personality(http, personality, new PromptOccasion(body.Message, body.Variables), who, index, desk))
            .WithSummary("The same, with a message and variables").Answers(repeatable: false);
        routes.MapGet("/v1/user-personas/{id:guid}/prompt", (HttpContext http, Guid id) => UserPersona(http, id, null, who, desk))
            .WithSummary("The resolved prompt of a user persona").Answers(repeatable: true);
        routes.MapPost("/v1/user-personas/{id:guid}/prompt", (HttpContext http, Guid id, UserPersonaPromptBody body) =>
            UserPersona(http, id, new PromptOccasion(body.UserMessage ?? body.Message, body.Variables), who, desk))
            .WithSummary("The same, with the user's message").Answers(repeatable: false);
        routes.MapPost("/v1/prompts:batch", PromptBatch.Post).WithTags("Prompts").WithSummary("Up to 100 prompts at once").WritesNothing().Produces<PromptBatchAnswer>();
    }

    /// <summary>What they take from the query and answer, for the document.</summary>
    private static void Answers(this RouteHandlerBuilder route, bool repeatable)
    {
        route.WithTags("Prompts").WritesNothing()
            .WithQuery("user", typeof(string), "The user: id, provider:subject or me. Else whom the caller acts for.")
            .WithQuery("format", typeof(PromptFormat), "In which form: native, if it isn't said.")
            .WithQuery("explain", typeof(bool), "Every tier's value of every field, in the native form.")
            .WithQuery("focusMode", typeof(string), "A focus mode in place of the person's.")
            .WithQuery("channel", typeof(string), "Where they talk.")
            .WithQuery("mapper", typeof(string), "A mapper that says what it makes of what is known of the user, while the settings let it. What hangs on the clock is in the current state, and such an answer has no ETag; rules that ask what was said fire for a message only.")
            .Produces<AnyPrompt>().Produces<string>(200, "text/plain");
        if (repeatable)
        {
            route.Produces(304);
        }
    }

    private static async Task Personality(
        HttpContext http, string personality, PromptOccasion? occasion, ActingResolver who, PersonalityIndex index, IPromptDesk desk)
    {
        var named = PromptQuery.Parse(http.Request.QueryString);
        var (acting, user, refusal) = await who.ActFor(http, named.User);
        if ((refusal ?? named.Refusal) is { } no)
        {
            await Problems.Write(http, no);
            return;
        }

        if (await index.Find(acting!.Tenant, user, personality, http.RequestAborted) is not { } id)
        {
            await Problems.Write(http, Refusal.NotFound("personality"));
            return;
        }

        await Checked(http, acting, user, named.For(PromptSpeaker.Personality, id), occasion, desk);
    }

    private static async Task UserPersona(HttpContext http, Guid id, PromptOccasion? occasion, ActingResolver who, IPromptDesk desk)
    {
        var named = PromptQuery.Parse(http.Request.QueryString);
        var (acting, user, refusal) = await who.ActFor(http, named.User);
        if ((refusal ?? named.Refusal) is { } no)
        {
            await Problems.Write(http, no);
            return;
        }

        await Checked(http, acting!, user, named.For(PromptSpeaker.UserPersona, id), occasion, desk);
    }

    private static Task Checked(
        HttpContext http, Acting acting, Guid user, (PromptRequest? Request, Refusal? Refusal) asked, PromptOccasion? occasion, IPromptDesk desk)
    {
        var (request, refusal) = asked;
        return (refusal ?? PromptQuery.Check(occasion)) is { } no ? Problems.Write(http, no) : Answer(http, acting, user, request!, occasion, desk);
    }

    internal static Task Answer(HttpContext http, Acting acting, Guid user, PromptRequest request, PromptOccasion? occasion, IPromptDesk desk)
    {
        var known = occasion is null && http.Request.Headers.IfNoneMatch is { Count: > 0 } tags ? tags.ToString() : null;
        var asked = desk.Resolve(acting.Tenant, user, acting.Actor, request, occasion, known);
        // Mostly the answer is here at once, and needs nobody who waits for it.
        return asked.IsCompletedSuccessfully ? Write(http, request.Format, asked.Result) : Awaited(http, request.Format, asked);
    }

    private static async Task Awaited(HttpContext http, PromptFormat format, ValueTask<Outcome<PromptAnswer>> asked) =>
        await Write(http, format, await asked);

    private static Task Write(HttpContext http, PromptFormat format, Outcome<PromptAnswer> outcome)
    {
        if (outcome.Refusal is not null)
        {
            return Problems.Write(http, outcome.Refusal);
        }

        var (response, answer) = (http.Response, outcome.Value!);
        if (answer.IsRepeatable)
        {
            response.Headers.ETag = string.Concat("\"", answer.Version, "\"");
            response.Headers.CacheControl = "private, no-cache";
        }
        else
        {
            response.Headers.CacheControl = "no-store";
        }

        if (answer.Body is not { } body)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = format == PromptFormat.Text ? "text/plain; charset=utf-8" : "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        // Once the headers are out of the way, the body goes straight into the connection's buffers.
        var started = response.StartAsync();
        if (!started.IsCompletedSuccessfully)
        {
            return Started(response, started, body);
        }

        response.BodyWriter.Write(body.Span);
        return Task.CompletedTask;
    }

    private static async Task Started(HttpResponse response, Task started, ReadOnlyMemory<byte> body)
    {
        await started;
        response.BodyWriter.Write(body.Span);
    }
}
