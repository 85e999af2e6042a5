using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Gateway.Focus;

/// <summary>Levels and curve side by side.</summary>
public sealed record RhythmAnswer(
    double? BodyEnergy, double? MindFocus, string? EmotionTone, double? FatigueLevel, double? StressLevel, DateTimeOffset? NextPeak, DateTimeOffset? NextLull,
    DateTimeOffset? UpdatedAt, DailyCurve? Curve, bool PreventiveNudges, long Version)
{
    public static RhythmAnswer Of(RhythmLevels levels, DailyCurve? curve, bool preventiveNudges, long version) => new(
        levels.BodyEnergy, levels.MindFocus, levels.EmotionTone, levels.FatigueLevel, levels.StressLevel, levels.NextPeak, levels.NextLull,
        levels.UpdatedAt, curve, preventiveNudges, version);
}

public sealed record CurveBody(Items<double>? Energy, double? Confidence);

public sealed record MemoryBody(string? Type, JsonObject? Content, double? Sentiment, Items<string>? EmotionTags, DateTimeOffset? ExpiresAt);

/// <summary>What is known of a person around focus: rhythm, tasks, memories, statistics.</summary>
public static class PeopleEndpoints
{
    public static void MapPeople(this IEndpointRouteBuilder routes)
    {
        var people = routes.MapGroup("/v1/people/{id}").WithTags("People");
        people.MapGet("", Get).WithSummary("A person as the companion knows it").Produces<CompanionView>().ProducesProblem(404);
        people.MapGet("rhythm", GetRhythm).WithSummary("The person's rhythm").Produces<RhythmAnswer>().ProducesProblem(404);
        people.MapPut("rhythm", SetRhythm).WithSummary("Sets levels of the rhythm, and whether nudges come outside sessions: absent keeps, null clears").Produces<RhythmAnswer>();
        people.MapPut("rhythm/curve", SetCurve).WithSummary("Sets the energy of the day, 96 slots of 15 minutes").Produces<RhythmAnswer>();
        people.MapGet("tasks", ListTasks).WithSummary("Lists tasks").Produces<Page<PlannedTask>>();
        people.MapPost("tasks", AddTask).WithSummary("Adds a task").Produces<PlannedTask>(201);
        people.MapGet("tasks/{taskId:guid}", GetTask).WithSummary("A task").Produces<PlannedTask>().ProducesProblem(404);
        people.MapPatch("tasks/{taskId:guid}", ChangeTask).WithSummary("Changes a task: absent keeps, null clears").Produces<PlannedTask>();
        people.MapDelete("tasks/{taskId:guid}", DeleteTask).WithSummary("Deletes a task that no live session is about").Produces(204);
        people.MapGet("memories", ListMemories).WithSummary("Lists short-term memories that haven't expired").Produces<Page<MemoryView>>();
        people.MapPost("memories", Remember).WithSummary("Adds a short-term memory").Produces<MemoryView>(201);
        people.MapDelete("memories/{memoryId:guid}", ForgetMemory).WithSummary("Deletes a short-term memory").Produces(204);
        people.MapPost("nudges/{eventId:guid}", AnswerNudge).WithSummary("Answers a nudge that came outside sessions: helpful, not_now, snooze_15").Produces<CompanionView>();
        people.MapGet("focus/stats", Stats).WithSummary("Focus over the last days").Produces<FocusStats>();
        people.MapGet("focus/streak", Streak).WithSummary("Days in a row, and the habit's strength").Produces<Habit>();
        people.MapGet("focus/next-slot", Next).WithSummary("When it is good to focus next").Produces<NextSlot>().ProducesProblem(404);
        people.MapGet("focus/export", Export).WithSummary("Sessions as CSV, iCalendar or Markdown")
            .Produces<string>(200, "text/csv", "text/calendar", "text/markdown");
    }

    private static async Task<IResult> Get(HttpContext http, string id, ActingResolver who, FocusSessions sessions) =>
        await who.ActFor(http, id) is var (acting, person, refusal) && refusal is null
        && await sessions.Companion(acting!, person).Get() is { } read
            ? read.ToResult()
            : (refusal ?? Refusal.NotFound("user")).ToResult();

    private static async Task<IResult> GetRhythm(HttpContext http, string id, ActingResolver who, FocusSessions sessions)
    {
        var (acting, user, refusal) = await who.ActFor(http, id);
        if (refusal is not null || await sessions.Companion(acting!, user).Get() is not { } read)
        {
            return (refusal ?? Refusal.NotFound("user")).ToResult();
        }

        var person = read.Value;
        return new Read<RhythmAnswer>(RhythmAnswer.Of(person.Rhythm, person.Curve, person.PreventiveNudges, person.Version), read.Epoch, read.Seq).ToResult();
    }

    private static async Task<IResult> SetRhythm(HttpContext http, string id, RhythmChange body, ActingResolver who, FocusSessions sessions, Commands commands) =>
        Rhythm(await Run<RhythmView>(http, id, body, who, sessions, commands, (companion, command) => companion.SetRhythm(command, body)));

    private static async Task<IResult> SetCurve(HttpContext http, string id, CurveBody body, ActingResolver who, FocusSessions sessions, Commands commands) =>
        Rhythm(await Run<RhythmView>(http, id, body, who, sessions, commands, (companion, command) =>
            companion.SetCurve(command, new DailyCurve(body.Energy ?? [], body.Confidence ?? 1, null))));

    private static async Task<IResult> ListTasks(HttpContext http, string id, ActingResolver who, CompanionStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (acting, person, refusal) = await who.ActFor(http, id);
        return (invalid ?? refusal) is { } no
            ? no.ToResult()
            : Answers.Page(await store.Tasks(acting!.Tenant, person, page.After, page.Limit + 1, http.RequestAborted), page.Limit, task => task.Id.ToString());
    }

    private static async Task<IResult> GetTask(HttpContext http, string id, Guid taskId, ActingResolver who, CompanionStore store)
    {
        var (acting, person, refusal) = await who.ActFor(http, id);
        return refusal is null && await store.Task(acting!.Tenant, person, taskId) is { } task
            ? Answers.Entity(task)
            : (refusal ?? Refusal.NotFound("task")).ToResult();
    }

    private static async Task<IResult> AddTask(HttpContext http, string id, TaskChange body, ActingResolver who, FocusSessions sessions, Commands commands) =>
        (await Run<PlannedTask>(http, id, body, who, sessions, commands, (companion, command) => companion.AddTask(command, body)))
            .ToResult(task => $"/v1/people/{id}/tasks/{task.Id}");

    private static async Task<IResult> ChangeTask(
        HttpContext http, string id, Guid taskId, TaskChange body, ActingResolver who, FocusSessions sessions, Commands commands) =>
        (await Run<PlannedTask>(http, id, body, who, sessions, commands, (companion, command) => companion.ChangeTask(command, taskId, body))).ToResult();

    private static async Task<IResult> DeleteTask(HttpContext http, string id, Guid taskId, ActingResolver who, FocusSessions sessions, Commands commands) =>
        (await Run<Nothing>(http, id, null, who, sessions, commands, (companion, command) => companion.DeleteTask(command, taskId))).ToResult();

    private static async Task<IResult> ForgetMemory(HttpContext http, string id, Guid memoryId, ActingResolver who, FocusSessions sessions, Commands commands) =>
        (await Run<Nothing>(http, id, null, who, sessions, commands, (companion, command) => companion.ForgetMemory(command, memoryId))).ToResult();

    private static async Task<IResult> ListMemories(HttpContext http, string id, ActingResolver who, CompanionStore store, Clock time)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (acting, person, refusal) = await who.ActFor(http, id);
        return (invalid ?? refusal) is { } no
            ? no.ToResult()
            : Answers.Page(
                await store.Memories(acting!.Tenant, person, time.GetUtcNow(), page.After, page.Limit + 1, http.RequestAborted), page.Limit, memory => memory.Id.ToString());
    }

    private static async Task<IResult> Remember(HttpContext http, string id, MemoryBody body, ActingResolver who, FocusSessions sessions, Commands commands)
    {
        var memory = new NewMemory(
            body.Type ?? "", new JsonText((body.Content ?? []).ToJsonString(Wire.Json)), body.Sentiment, body.EmotionTags ?? [], body.ExpiresAt);
        return (await Run<MemoryView>(http, id, body, who, sessions, commands, (companion, command) => companion.Remember(command, memory))).ToResult();
    }

    private static async Task<IResult> AnswerNudge(
        HttpContext http, string id, Guid eventId, NudgeAnswerBody body, ActingResolver who, FocusSessions sessions, Commands commands) =>
        (body.Answer is { } answer
            ? await Run<CompanionView>(http, id, body, who, sessions, commands, (companion, command) => companion.AnswerNudge(command, eventId, answer))
            : Refusal.Invalid("answer", "'answer' is helpful, not_now or snooze_15.")).ToResult();

    private static async Task<IResult> Stats(HttpContext http, string id, int? days, ActingResolver who, FocusReports reports)
    {
        var (acting, person, refusal) = await who.ActFor(http, id);
        refusal ??= CheckDays(days);
        return refusal is null && await reports.Stats(new TenantScopedKey(acting!.Tenant, person), days ?? 7) is { } stats
            ? Results.Json(stats, Wire.Json)
            : (refusal ?? Refusal.NotFound("user")).ToResult();
    }

    private static async Task<IResult> Streak(HttpContext http, string id, ActingResolver who, FocusReports reports)
    {
        var (acting, person, refusal) = await who.ActFor(http, id);
        return refusal is null && await reports.Stats(new TenantScopedKey(acting!.Tenant, person), 1) is { } stats
            ? Results.Json(stats.Habit, Wire.Json)
            : (refusal ?? Refusal.NotFound("user")).ToResult();
    }

    private static async Task<IResult> Next(HttpContext http, string id, int? minutes, ActingResolver who, FocusReports reports)
    {
        var (acting, person, refusal) = await who.ActFor(http, id);
        if (refusal is null && minutes is < 5 or > 480)
        {
            refusal = Refusal.Invalid("minutes", "'minutes' is from 5 to 480.");
        }

        return refusal is null && await reports.NextSlot(new TenantScopedKey(acting!.Tenant, person), minutes ?? 30) is { } slot
            ? Results.Json(slot, Wire.Json)
            : (refusal ?? Refusal.NotFound("slot")).ToResult();
    }

    private static async Task<IResult> Export(HttpContext http, string id, string? format, int? days, ActingResolver who, FocusReports reports)
    {
        var (acting, person, refusal) = await who.ActFor(http, id);
        var (wanted, unknown) = QueryWord.Read<ExportFormat>("format", format);
        refusal ??= unknown ?? CheckDays(days);
        if (refusal is not null || await reports.Export(new TenantScopedKey(acting!.Tenant, person), wanted ?? ExportFormat.Csv, days ?? 365) is not { } export)
        {
            return (refusal ?? Refusal.NotFound("user")).ToResult();
        }

        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{export.FileName}\"";
        return Results.Text(export.Text, export.MediaType);
    }

    private static Refusal? CheckDays(int? days) => days is < 1 or > 365 ? Refusal.Invalid("days", "'days' is from 1 to 365.") : null;

    private static async Task<Outcome<T>> Run<T>(
        HttpContext http, string id, object? body, ActingResolver who, FocusSessions sessions, Commands commands, Func<ICompanionGrain, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, person, refusal) = await who.ActFor(http, id, mayBeNew: true);
        return refusal is not null
            ? refusal
            : await commands.Run<T>(http, acting!, body, command => call(sessions.Companion(acting!, person), command));
    }

    private static IResult Rhythm(Outcome<RhythmView> outcome) =>
        outcome.Show(view => RhythmAnswer.Of(view.Levels, view.Curve, view.PreventiveNudges, view.Version)).ToResult();
}
