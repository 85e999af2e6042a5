using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Conversations;

/// <param name="Place">Its place in the order in which they answer; the last where there is none.</param>
/// <param name="AutoRespond">It answers without being addressed, if nothing else is said.</param>
public sealed record ActivationBody(int? Place, bool? AutoRespond);

/// <param name="Personality">Who is about to answer, in place of the user.</param>
public sealed record TypingBody(string? Personality);

/// <summary>Those that answer in a channel, in their order.</summary>
public sealed record ActiveAnswer(IReadOnlyList<ActivationView> Items);

public static class ChannelEndpoints
{
    public static void MapChannels(this IEndpointRouteBuilder routes)
    {
        var channel = routes.MapGroup("/v1/channels/{channelId}").WithTags("Conversations");
        channel.MapGet("", Get).WithSummary("A channel").Produces<ChannelView>().ProducesProblem(404);
        channel.MapPatch("settings", ChangeSettings).WithSummary("Changes the channel's tier of behaviour settings: absent keeps, null clears, \"off\" switches off")
            .Produces<ChannelView>().ProducesProblem(404);
        channel.MapGet("members", ListMembers).WithSummary("Who reads and writes there").Produces<Page<ChannelMember>>().ProducesProblem(404);
        channel.MapPut("members/{user}", AddMember).WithSummary("Brings a user into the channel").Produces<ChannelMember>().ProducesProblem(403).ProducesProblem(409);
        channel.MapDelete("members/{user}", RemoveMember).WithSummary("Takes a user out of the channel; anybody may leave").Produces(204).ProducesProblem(403);
        channel.MapGet("active", Active).WithSummary("The personalities that answer there, in their order; those that their activator may no longer use are left out")
            .WithMetadata(new TellsCursor()).Produces<ActiveAnswer>().ProducesProblem(404);
        channel.MapPut("active/{personality}", Activate).WithSummary("Has a personality answer there, or changes how").Produces<ActivationView>().ProducesProblem(404).ProducesProblem(409);
        channel.MapDelete("active/{personality}", Deactivate).WithSummary("Has a personality answer there no more").Produces(204).ProducesProblem(404);
        channel.MapPost("typing", Typing).WithSummary("Tells who listens that the user, or a personality, is about to say something").WritesNothing().Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> Typing(HttpContext http, string channelId, TypingBody? body, ChannelAccess channels)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        (var personality, refusal) = refusal is null ? await channels.Personality(http, acting!, body?.Personality) : (null, refusal);
        refusal ??= acting!.User is null && personality is null ? ActingResolver.UserRequired : null;
        return refusal is not null ? refusal.ToResult() : (await channels.Of(key).Typing(acting!.Actor, personality)).ToResult();
    }

    private static async Task<IResult> Get(HttpContext http, string channelId, ChannelAccess channels)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is null && await channels.Of(key).Get(acting!.Actor) is { } read ? read.ToResult() : (refusal ?? ChannelAccess.None).ToResult();
    }

    private static async Task<IResult> ChangeSettings(HttpContext http, string channelId, SettingsChange body, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<ChannelView>(http, acting!, body, command => channels.Of(key).ChangeSettings(command, body))).ToResult();
    }

    private static async Task<IResult> ListMembers(HttpContext http, string channelId, ChannelAccess channels)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is null && await channels.Of(key).Members(acting!.Actor) is { } members
            ? Answers.Page(http, members, member => member.UserId.ToString())
            : (refusal ?? ChannelAccess.None).ToResult();
    }

    private static async Task<IResult> AddMember(HttpContext http, string channelId, string user, ChannelAccess channels, ActingResolver who, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        var member = refusal is null ? await who.FindUser(acting!, user, http.RequestAborted) : null;
        return (refusal ?? (member is null ? Refusal.NotFound("user") : null)) is { } no
            ? no.ToResult()
            : (await commands.Run<ChannelMember>(http, acting!, null, command => channels.Of(key).AddMember(command, member!.Value))).ToResult();
    }

    private static async Task<IResult> RemoveMember(HttpContext http, string channelId, string user, ChannelAccess channels, ActingResolver who, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        var member = refusal is null ? await who.FindUser(acting!, user, http.RequestAborted) : null;
        return (refusal ?? (member is null ? Refusal.NotFound("member") : null)) is { } no
            ? no.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => channels.Of(key).RemoveMember(command, member!.Value))).ToResult();
    }

    private static async Task<IResult> Active(HttpContext http, string channelId, ChannelAccess channels)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        return refusal is null && await channels.Of(key).Active(acting!.Actor) is { } active ? active.ToResult() : (refusal ?? ChannelAccess.None).ToResult();
    }

    private static async Task<IResult> Activate(HttpContext http, string channelId, string personality, ActivationBody body, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        (var id, refusal) = refusal is null ? await channels.Personality(http, acting!, personality) : (null, refusal);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<ActivationView>(http, acting!, body, command => channels.Of(key).Activate(command, id!.Value, body.Place, body.AutoRespond))).ToResult();
    }

    private static async Task<IResult> Deactivate(HttpContext http, string channelId, string personality, ChannelAccess channels, Commands commands)
    {
        var (acting, key, refusal) = await channels.Find(http, channelId);
        (var id, refusal) = refusal is null ? await channels.Personality(http, acting!, personality) : (null, refusal);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<Nothing>(http, acting!, null, command => channels.Of(key).Deactivate(command, id!.Value))).ToResult();
    }
}
