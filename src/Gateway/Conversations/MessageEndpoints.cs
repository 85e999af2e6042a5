using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Conversations;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Gateway.Conversations;

/// <param name="User">Who says it, or to whom it is said: by id or provider:subject; whom the caller acts for where there is none.</param>
/// <param name="Personality">Whom it is said to, or who says it: by id, slug or alias.</param>
/// <param name="Persona">The persona that speaks; the one that the prompt would take where there is none.</param>
public sealed record MessageBody(string? User, MessageRole? Role, string? Content, string? Personality, Guid? Persona, string? ClientId, string? ReplyTo);

public sealed record EditBody(string? Content);

/// <summary>Some of what was said. <c>next</c> is given back as <c>after</c>, until there is none.</summary>
public sealed record MessagePage(IReadOnlyList<MessageView> Items, string? Next);

public static class MessageEndpoints
{
    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var messages = routes.MapGroup("/v1/channels/{channelId}/messages").WithTags("Conversations");
        messages.MapPost("", Append).WithSummary("Says something in a channel; with a clientId once. Who acts for others brings its user into the channel.")
            .Produces<MessageView>(201).Produces<MessageView>().ProducesProblem(400).ProducesProblem(410);
        messages.MapGet("", List).WithSummary("What was said, the newest first; with ?last= the newest from memory, oldest first")
            .WithQuery("last", typeof(int), $"How many of the newest: 1–{MessageRules.MaxWindow}.")
            .WithQuery("limit", typeof(int), $"How many at most: 1–{PageQuery.MaxLimit}, 50 if it isn't said.")
            .WithQuery("after", typeof(string), "The 'next' of the page before.")
            .WithQuery("personality", typeof(string), "Of whose conversation: by id, slug or alias. What was said to nobody in particular is everybody's.")
            .WithMetadata(new TellsCursor(), TakesLane.Window).Produces<MessagePage>().ProducesProblem(404);
        messages.MapDelete("", Clear).WithSummary("Clears the history, of ?user= and of ?personality=; it can be restored once within thirty days, with ?purge=true not at all")
            .WithQuery("user", typeof(string), "Whose part: by id or provider:subject; of whom the caller acts for, if anybody.")
            .WithQuery("personality", typeof(string), "The part with which personality.")
            .WithQuery("purge", typeof(bool), "For good, at once.")
            .Produces<ClearView>().ProducesProblem(404);
        messages.MapPatch("{clientId}", Edit).WithSummary("Changes what was said, by its client id").Produces<MessageView>().ProducesProblem(403).ProducesProblem(404);
        messages.MapDelete("{clientId}", Delete).WithSummary("Deletes what was said, by its client id").Produces(204).ProducesProblem(403).ProducesProblem(404);
        routes.MapPost("/v1/channels/{channelId}/messages:restore", Restore).WithTags("Conversations").WithSummary("Takes back the last clear of the same part")
            .WithQuery("user", typeof(string), "Whose part: by id or provider:subject; of whom the caller acts for, if anybody.")
            .WithQuery("personality", typeof(string), "The part with which personality.")
            .Produces<ClearView>().ProducesProblem(404);
    }

    private static async Task<IResult> Append(HttpContext http, string channelId, MessageBody body, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId, body.User);
        refusal ??= body.Role is null ? Refusal.Invalid("role", "'role' is user, assistant or system.") : null;
        (var personality, refusal) = refusal is null ? await channels.Personality(http, acting!, body.Personality) : (null, refusal);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var message = new NewMessage(body.Role!.Value, body.Content ?? "", personality, body.Persona, body.ClientId, body.ReplyTo);
        return (await commands.Run<MessageView>(http, acting!, body, command => channels.Of(key).Append(command, message)))
            .ToResult(said => $"/v1/channels/{Uri.EscapeDataString(key.Id)}/messages/{Uri.EscapeDataString(said.ClientId)}");
    }

    private static async Task<IResult> List(HttpContext http, string channelId, ChannelAccess channels, IPromptDesk desk, MessageStore store)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        (var personality, refusal) = refusal is null ? await channels.Personality(http, acting!, Named(http, "personality")) : (null, refusal);
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var before = long.MaxValue;
        if (Named(http, "after") is { } after && !long.TryParse(after, out before))
        {
            invalid ??= PageQuery.BadAfter;
        }

        var last = 0;
        if (Named(http, "last") is { } newest && (!int.TryParse(newest, out last) || last is < 1 or > MessageRules.MaxWindow))
        {
            invalid ??= Refusal.Invalid("last", $"'last' is a number from 1 to {MessageRules.MaxWindow}.");
        }

        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        if (last > 0)
        {
            await Window(http, key, acting!.Actor, personality, last, desk);
            return Results.Empty;
        }

        if (await channels.Of(key).Get(acting!.Actor) is null)
        {
            return ChannelAccess.None.ToResult();
        }

        var scope = acting.User is { } user ? RowScope.OfUser(acting.Tenant, user) : RowScope.OfTenant(acting.Tenant);
        var rows = await store.List(scope, key, before, await channels.Retained(acting), personality, limit + 1, http.RequestAborted);
        return Answers.Page(rows, limit, message => $"{message.Number}");
    }

    /// <summary>As every read is answered: the body comes ready from the desk.</summary>
    internal static async Task Window(HttpContext http, ChannelKey key, Actor actor, Guid? personality, int last, IPromptDesk desk)
    {
        if (await desk.Window(key.Tenant, key.Id, actor, personality, last) is not { } window)
        {
            await Problems.Write(http, ChannelAccess.None);
            return;
        }

        var response = http.Response;
        response.Headers[Answers.CursorHeader] = $"{window.Epoch}:{window.Seq}";
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = window.Body.Length;
        await response.BodyWriter.WriteAsync(window.Body);
    }

    private static async Task<IResult> Edit(HttpContext http, string channelId, string clientId, EditBody body, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<MessageView>(http, acting!, body, command => channels.Of(key).Edit(command, clientId, body.Content ?? ""))).ToResult();
    }

    private static async Task<IResult> Delete(HttpContext http, string channelId, string clientId, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => channels.Of(key).DeleteMessage(command, clientId))).ToResult();
    }

    private static async Task<IResult> Clear(HttpContext http, string channelId, bool? purge, ChannelAccess channels, ActingResolver who, Commands commands)
    {
        var (acting, key, part, refusal) = await Part(http, channelId, channels, who);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<ClearView>(http, acting!, null, command => channels.Of(key).Clear(command, part, purge is true))).ToResult();
    }

    private static async Task<IResult> Restore(HttpContext http, string channelId, ChannelAccess channels, ActingResolver who, Commands commands)
    {
        var (acting, key, part, refusal) = await Part(http, channelId, channels, who);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<ClearView>(http, acting!, null, command => channels.Of(key).Restore(command, part))).ToResult();
    }

    private static async ValueTask<(Acting? Acting, ChannelKey Key, HistoryPart Part, Refusal? Refusal)> Part(
        HttpContext http, string channelId, ChannelAccess channels, ActingResolver who)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        (var personality, refusal) = refusal is null ? await channels.Personality(http, acting!, Named(http, "personality")) : (null, refusal);
        if (refusal is not null)
        {
            return (null, default, default, refusal);
        }

        var named = Named(http, "user");
        var user = named is null ? acting!.User : await who.FindUser(acting!, named, http.RequestAborted);
        return user is null && named is not null
            ? (null, default, default, Refusal.NotFound("user"))
            : (acting, key, new HistoryPart(user, personality), null);
    }

    private static string? Named(HttpContext http, string name) => http.Request.Query.TryGetValue(name, out var text) ? text.ToString() : null;
}
