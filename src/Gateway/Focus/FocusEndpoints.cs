using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Gateway.Focus;

public sealed record StartSessionBody(
    string? User, Guid? TaskId, FocusMode? Mode, int? EstimatedMinutes, FocusPlan? Plan, bool Takeover = false);

public sealed record PingBody(JsonObject? Biomarkers);

public sealed record BreakBody(int? Minutes, BreakKind? Kind);

public sealed record MinutesBody(int? Minutes);

public sealed record IdleReturnBody(IdleAnswer? Answer);

public sealed record NudgeAnswerBody(NudgeAnswer? Answer);

public sealed record EndSessionBody(double? CompletionScore, JsonObject? SessionQuality, bool EarlyEnd = false);

/// <summary>A session in a list.</summary>
public sealed record SessionCard(
    Guid Id, Guid UserId, Guid? TaskId, string Mode, string State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? EndReason, int? EstimatedMinutes,
    int? ActualMinutes, double? CompletionScore, JsonText? Summary);

/// <summary>Focus sessions under /v1.</summary>
public static class FocusEndpoints
{
    public static void MapFocus(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/focus/sessions").WithTags("Focus");
        group.MapPost("", Start).WithSummary("Begins a session; one live session a person").Produces<TimedSession>(201).ProducesProblem(409);
        group.MapGet("", List).WithSummary("Lists a person's sessions").Produces<Page<SessionCard>>();
        group.MapGet("{id:guid}", Get).WithSummary("A session, with cursor and the server's clock").Produces<TimedSession>().ProducesProblem(404);
        group.MapPost("{id:guid}/ping", Ping).WithSummary("Says that somebody is there, with what is measured").Produces<TimedSession>();
        group.MapPost("{id:guid}/pause", (HttpContext http, Guid id, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, null, new SessionChange(SessionChangeKind.Pause))).WithSummary("Pauses").Produces<TimedSession>();
        group.MapPost("{id:guid}/resume", (HttpContext http, Guid id, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, null, new SessionChange(SessionChangeKind.Resume))).WithSummary("Goes on").Produces<TimedSession>();
        group.MapPost("{id:guid}/break", (HttpContext http, Guid id, BreakBody? body, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, body, new SessionChange(SessionChangeKind.Break, body?.Minutes, body?.Kind))).WithSummary("Takes a break").Produces<TimedSession>();
        group.MapPost("{id:guid}/skip-break", (HttpContext http, Guid id, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, null, new SessionChange(SessionChangeKind.SkipBreak))).WithSummary("Ends a break early").Produces<TimedSession>();
        group.MapPost("{id:guid}/extend", (HttpContext http, Guid id, MinutesBody body, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, body, new SessionChange(SessionChangeKind.Extend, body.Minutes))).WithSummary("Gives more time").Produces<TimedSession>();
        group.MapPost("{id:guid}/idle-return", (HttpContext http, Guid id, IdleReturnBody body, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, body, new SessionChange(SessionChangeKind.IdleReturn, Idle: body.Answer))).WithSummary("Says what idle time was").Produces<TimedSession>();
        group.MapPost("{id:guid}/snooze", (HttpContext http, Guid id, MinutesBody body, FocusSessions sessions, Commands commands) =>
            Change(http, id, sessions, commands, body, new SessionChange(SessionChangeKind.Snooze, body.Minutes))).WithSummary("Silences nudges for some minutes").Produces<TimedSession>();
        group.MapPost("{id:guid}/end", End).WithSummary("Ends the session; a repeat answers the same").Produces<TimedSession>();
        group.MapPost("{id:guid}/nudges/{eventId:guid}", AnswerNudge).WithSummary("Answers a nudge: helpful, not_now, snooze_15").Produces<TimedSession>();
        group.MapGet("{id:guid}/events", Events).WithSummary("What happened in a session").Produces<Page<FocusEventRow>>();
        group.MapGet("{id:guid}/summary", Summary).WithSummary("The summary of an ended session").Produces<FocusSummary>().ProducesProblem(404);
    }

    private static async Task<IResult> Start(HttpContext http, StartSessionBody body, FocusSessions sessions, ActingResolver who, Commands commands)
    {
        var (acting, person, refusal) = await who.ActFor(http, body.User ?? http.Request.Query["user"].FirstOrDefault(), mayBeNew: true);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var start = new FocusStart(body.Mode ?? FocusMode.Deep, body.TaskId, body.EstimatedMinutes, body.Plan, body.Takeover);
        return sessions.Answer(await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.OfPerson(acting!, person).Start(command, start)));
    }

    private static async Task<IResult> List(HttpContext http, string? user, string? state, ActingResolver who, FocusStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (acting, person, refusal) = await who.ActFor(http, user);
        var (wanted, unknown) = QueryWord.Read<FocusState>("state", state);
        if ((invalid ?? refusal ?? unknown) is { } no)
        {
            return no.ToResult();
        }

        var status = wanted is { } known ? QueryWord.Of(known) : null;
        var rows = await store.List(acting!.Tenant, person, status, page.After, page.Limit + 1, http.RequestAborted);
        return Answers.Page(
            rows.ConvertAll(row => new SessionCard(
                row.Id, row.Person, row.Task, row.Mode, row.Status, row.Start, row.End, row.EndReason, row.Estimated, row.ActualMinutes, row.Score, row.Summary)),
            page.Limit, card => card.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, FocusSessions sessions)
    {
        var (_, key, refusal) = await sessions.Find(http, id);
        return refusal is null && await sessions.Session(key).Get() is { } read ? sessions.Answer(read) : (refusal ?? Refusal.NotFound("session")).ToResult();
    }

    private static async Task<IResult> Ping(HttpContext http, Guid id, PingBody? body, FocusSessions sessions, Commands commands)
    {
        var (acting, key, refusal) = await sessions.Find(http, id);
        var (biomarkers, invalid) = PingKeys.Read(body?.Biomarkers);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : sessions.Answer(await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.Session(key).Ping(command, biomarkers!)));
    }

    private static async Task<IResult> Change(HttpContext http, Guid id, FocusSessions sessions, Commands commands, object? body, SessionChange change)
    {
        var (acting, key, refusal) = await sessions.Find(http, id);
        return refusal is not null
            ? refusal.ToResult()
            : sessions.Answer(await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.Session(key).Change(command, change)));
    }

    private static async Task<IResult> End(HttpContext http, Guid id, EndSessionBody? body, FocusSessions sessions, Commands commands)
    {
        var (acting, key, refusal) = await sessions.Find(http, id);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var end = new SessionEnd(
            body?.CompletionScore, body?.SessionQuality is { } quality ? new JsonText(quality.ToJsonString(Wire.Json)) : null, body?.EarlyEnd ?? false);
        return sessions.Answer(await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.OfPerson(acting!, key.Owner).End(command, id, end)));
    }

    private static async Task<IResult> AnswerNudge(HttpContext http, Guid id, Guid eventId, NudgeAnswerBody body, FocusSessions sessions, Commands commands)
    {
        var (acting, key, refusal) = await sessions.Find(http, id);
        if (refusal is null && body.Answer is null)
        {
            refusal = Refusal.Invalid("answer", "'answer' is helpful, not_now or snooze_15.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : sessions.Answer(await commands.Run<FocusSessionView>(http, acting!, body, command => sessions.Session(key).AnswerNudge(command, eventId, body.Answer!.Value)));
    }

    private static async Task<IResult> Events(HttpContext http, Guid id, FocusSessions sessions, FocusStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (_, key, refusal) = await sessions.Find(http, id);
        if (refusal is null && await sessions.Session(key).Get() is null)
        {
            refusal = Refusal.NotFound("session");
        }

        return (invalid ?? refusal) is { } no
            ? no.ToResult()
            : Answers.Page(await store.EventPage(key.Tenant, key.Owner, key.Id, page.After, page.Limit + 1, http.RequestAborted), page.Limit, e => e.Id.ToString());
    }

    private static async Task<IResult> Summary(HttpContext http, Guid id, FocusSessions sessions)
    {
        var (_, key, refusal) = await sessions.Find(http, id);
        return refusal is null && await sessions.Session(key).Get() is { Value.Summary: { } summary }
            ? Answers.Entity(summary)
            : (refusal ?? Refusal.NotFound("summary")).ToResult();
    }
}
