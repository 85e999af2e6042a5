using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class PeopleTests(FocusRoom room) : FocusTest(room), IClassFixture<FocusRoom>
{
    private readonly Guid _person = Guid.NewGuid();

    private string People => $"/v1/people/{_person}";

    [Fact]
    public async Task Rhythm_tasks_and_memories_are_kept_and_mood_follows_them()
    {
        (await Api.Put($"{People}/rhythm", new { bodyEnergy = 0.4, stressLevel = 0.2, fatigueLevel = 0.1, emotionTone = "heavy" })).Should(HttpStatusCode.OK);
        Assert.Equal("negative", (string)(await Api.Get(People)).Json["emotion"]!);
        var expires = Clock.GetUtcNow().AddHours(3);
        (await Api.Post($"{People}/memories", new { type = "note", content = new { text = "a good call" }, sentiment = 0.6, emotionTags = new[] { "joy" }, expiresAt = expires }))
            .Should(HttpStatusCode.Created);
        Assert.Equal("positive", (string)(await Api.Get(People)).Json["emotion"]!);

        var task = (await Api.Post($"{People}/tasks", new { title = "the report", energy = 0.5, ease = 2, estimateMinutes = 40 })).Should(HttpStatusCode.Created).Json;
        var changed = (await Api.Patch($"{People}/tasks/{task["id"]}", new { status = "doing", ease = (int?)null })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(("doing", "the report"), ((string)changed["status"]!, (string)changed["title"]!));
        Assert.Equal(2, (long)changed["version"]!);
        (await Api.Patch($"{People}/tasks/{task["id"]}", new { ease = 1 }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var rhythm = (await Api.Get($"{People}/rhythm")).Json;
        (await Api.Put($"{People}/rhythm", new { bodyEnergy = 0.9 }, ("If-Match", $"{(long)rhythm["version"]! - 1}"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var started = (await Api.Post("/focus/start", new { person_id = _person, task_id = (string)task["id"]! })).Should(HttpStatusCode.OK).Json;
        Assert.Equal("Okay, I'm here with you. Let's focus on the report.", (string)started["ack"]!);
        Assert.Equal("positive", (string)started["start_state"]!["emotion"]!["mood"]!);
        Assert.Equal("joy", (string)started["start_state"]!["emotion"]!["tags"]![0]!);

        // What expired says nothing any more: the mood falls back to the tone, and a day later to neutral.
        await Refresh(TimeSpan.FromHours(3.1));
        await Eventually.True("the tone counts again", async () => (string?)(await Api.Get(People)).Json["emotion"] == "negative");
        await Refresh(TimeSpan.FromHours(22));
        await Eventually.True("the tone is too old", async () => (string?)(await Api.Get(People)).Json["emotion"] == "neutral");
        Assert.DoesNotContain((await Api.Get($"{People}/memories")).Json["items"]!.AsArray(), m => (string)m!["type"]! == "note");
        (await Api.Put($"{People}/rhythm", new { bodyEnergy = 1.4 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await Api.Put($"{People}/rhythm/curve", new { energy = new[] { 0.5 } })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await Api.Post($"{People}/tasks", new { title = "x", colour = "red" })).ShouldRefuse(HttpStatusCode.BadRequest, "unknown_field");
    }

    [Fact]
    public async Task Sessions_are_exported_and_the_next_good_slot_is_found()
    {
        var task = (await Api.Post($"{People}/tasks", new { title = "=cmd, \"quoted\"; done" })).Json;
        Clock.SetUtcNow(new DateTimeOffset(Clock.GetUtcNow().Date, TimeSpan.Zero).AddDays(1).AddHours(21));
        var start = Clock.GetUtcNow();
        var id = await StartSession(_person, new { taskId = (string)task["id"]!, estimatedMinutes = 20 });
        await Pass(30);
        await Do(id, "end", new { completionScore = 0.5 });
        var csv = (await Api.Get($"{People}/focus/export?format=csv")).Should(HttpStatusCode.OK).Text;
        Assert.Contains($"{id},{start:yyyy-MM-dd}T21:00:00Z,{start:yyyy-MM-dd}T21:30:00Z,deep,\"'=cmd, \"\"quoted\"\"; done\",20,30,0.5,", csv);
        var ics = (await Api.Get($"{People}/focus/export?format=ics")).Text;
        Assert.Contains("SUMMARY:Focus: =cmd\\, \"quoted\"\\; done\r\n", ics);
        Assert.Contains($"DTSTART:{start:yyyyMMdd}T210000Z\r\n", ics);
        Assert.All(ics.Split("\r\n"), line => Assert.True(line.Length <= 75));
        Assert.Contains($"| {start:yyyy-MM-dd} | 21:00 | 21:30 |", (await Api.Get($"{People}/focus/export?format=md")).Text);
        Assert.Equal(0.5, (double)(await Api.Get($"{People}/focus/stats")).Json["estimateError"]!);

        (await Api.Get($"{People}/focus/next-slot")).Should(HttpStatusCode.NotFound);
        var energy = new double[96];
        Array.Fill(energy, 0.4);
        energy[36] = energy[37] = 0.9;
        await Api.Put($"{People}/rhythm/curve", new { energy });
        Assert.Equal(start.AddHours(12), (DateTimeOffset)(await Api.Get($"{People}/focus/next-slot?minutes=30")).Json["from"]!);
    }

    [Fact]
    public async Task A_session_of_no_length_counts_for_no_day_and_is_in_no_calendar()
    {
        await Do(await StartSession(_person), "end", new { completionScore = 1 });
        Assert.Equal((0, 0.0), await Api.Get($"{People}/focus/streak") is var habit ? ((int)habit.Json["streak"]!, (double)habit.Json["strength"]!) : default);
        Assert.DoesNotContain("VEVENT", (await Api.Get($"{People}/focus/export?format=ics")).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        Assert.Equal(2, (await Api.Get($"{People}/focus/export?format=csv")).Text.TrimEnd().Split("\r\n").Length);
    }

    [Fact]
    public async Task One_level_is_set_and_the_others_stay()
    {
        var peak = Clock.GetUtcNow().AddHours(5);
        await Api.Put($"{People}/rhythm", new { bodyEnergy = 0.4, mindFocus = 0.5, fatigueLevel = 0.1, emotionTone = "heavy", nextPeak = peak });
        (await Api.Put($"{People}/rhythm", """{"stressLevel":0.6,"emotionTone":null,"preventiveNudges":true}""")).Should(HttpStatusCode.OK);
        var rhythm = (await Api.Get($"{People}/rhythm")).Json;
        Assert.Equal((0.4, 0.5, 0.1, 0.6), ((double)rhythm["bodyEnergy"]!, (double)rhythm["mindFocus"]!, (double)rhythm["fatigueLevel"]!, (double)rhythm["stressLevel"]!));
        Assert.Equal((null, peak), ((string?)rhythm["emotionTone"], (DateTimeOffset)rhythm["nextPeak"]!));
    }

    [Fact]
    public async Task A_refused_body_registers_nobody()
    {
        var before = await Count("SELECT count(*) FROM users");
        (string Verb, string Path, string Body, string? IfMatch)[] refused =
        [
            ("PUT", "rhythm", """{"bodyEnergy":2}""", null), ("PUT", "rhythm", """{"energy":0.5}""", null), ("PUT", "rhythm", """{"bodyEnergy":"much"}""", null),
            ("PUT", "rhythm", """{"bodyEnergy":0.5}""", "3"), ("PUT", "rhythm/curve", """{"energy":[0.5]}""", null), ("PUT", "rhythm/curve", "{}", null),
            ("POST", "tasks", "{}", null), ("POST", "tasks", """{"title":" "}""", null), ("POST", "tasks", """{"title":"x","ease":9}""", null),
            ("PATCH", $"tasks/{Guid.NewGuid()}", """{"title":"x"}""", null), ("POST", "memories", "{}", null), ("POST", "memories", """{"type":"x","sentiment":2}""", null),
            ("POST", "memories", """{"type":"focus_session_summary"}""", null), ("POST", $"nudges/{Guid.NewGuid()}", """{"answer":"helpful"}""", null),
        ];
        foreach (var (verb, path, body, ifMatch) in refused)
        {
            (string, string)[] headers = ifMatch is null ? [] : [("If-Match", ifMatch)];
            var answer = verb switch
            {
                "PUT" => await Api.Put($"{People}/{path}", body, headers),
                "POST" => await Api.Post($"{People}/{path}", body, headers),
                _ => await Api.Patch($"{People}/{path}", body, headers),
            };
            Assert.True((int)answer.Status is >= 400 and < 500, $"{verb} {path} {body}: {answer.Status}");
        }

        Assert.Equal(before, await Count("SELECT count(*) FROM users"));
        (await Api.Post($"{People}/tasks", new { title = "x" })).Should(HttpStatusCode.Created);
        Assert.Equal(before + 1, await Count("SELECT count(*) FROM users"));
    }

    [Fact]
    public async Task A_deleted_person_leaves_nothing_of_focus()
    {
        await Api.Put($"{People}/rhythm", new { bodyEnergy = 0.3, preventiveNudges = true });
        await Api.Post($"{People}/tasks", new { title = "x" });
        var ended = await StartSession(_person);
        await Do(ended, "end");
        var live = await StartSession(_person);
        await Do(live, "ping", new { biomarkers = new { focus = 0.2 } });
        (await Api.Delete($"/v1/users/{_person}")).Should(HttpStatusCode.NoContent);
        foreach (var table in (string[])["focus_sessions", "focus_events", "rhythm_state", "rhythm_daily_curve", "planned_items", "personal_model", "memory_short_term", "companion_nudges"])
        {
            Assert.Equal(0, await Count($"SELECT count(*) FROM {table} WHERE person_id = '{_person}'"));
        }

        await Pass(20);
        // As Orleans does every few minutes: the first finds out that the session is gone, the next removes its reminder.
        var reminded = Node.Services.GetRequiredService<IGrainFactory>().Of<IFocusSessionGrain>(new OwnedKey(Node.Demo, _person, live)).AsReference<IRemindable>();
        await Eventually.True("the session's reminder has gone", async () =>
        {
            try
            {
                await reminded.ReceiveReminder("wake", default);
            }
            catch (ActivationOutdatedException)
            {
                Clock.Advance(TimeSpan.FromMinutes(5));
            }

            return await Count($"SELECT count(*) FROM orleans_reminders WHERE grain_id LIKE '%{live}%'") == 0;
        });
        (await Api.Get($"/v1/focus/sessions/{live}")).Should(HttpStatusCode.NotFound);
    }

    private async Task Refresh(TimeSpan by)
    {
        Clock.Advance(by);
        await Pass(TimeSpan.FromSeconds(16));
    }
}

/// <summary>The last Saturday of winter time in Berlin; the clock there jumps at 01:00 UTC of the next day.</summary>
public sealed class SummerTimeTests(SummerTimeTests.Room room) : FocusTest(room), IClassFixture<SummerTimeTests.Room>
{
    private readonly Guid _person = Guid.NewGuid();

    public sealed class Room : FocusRoom
    {
        public Room() => Clock = FakeTime.Start(new DateTimeOffset(2031, 3, 29, 21, 0, 0, TimeSpan.Zero));
    }

    private string People => $"/v1/people/{_person}";

    [Fact]
    public async Task Across_the_change_of_the_clock_slots_streaks_and_days_are_the_persons_own()
    {
        var energy = new double[96];
        Array.Fill(energy, 0.5);
        energy[7] = 0.31;   // 01:45 in Berlin
        energy[12] = 0.32;  // 03:00, fifteen minutes later this night
        (await Api.Put($"{People}/rhythm/curve", new { energy, confidence = 0.9 })).Should(HttpStatusCode.OK);
        (await Api.Patch($"/v1/users/{_person}", new { timeZone = "Europe/Berlin" })).Should(HttpStatusCode.OK);

        var saturday = await StartSession(_person, new { estimatedMinutes = 30 });
        await Pass(30);
        await Do(saturday, "end", new { completionScore = 1 });
        Assert.Equal(1, (int)(await Api.Get($"{People}/focus/streak")).Json["streak"]!);

        await Pass(195);
        var night = await StartSession(_person);
        Assert.Equal(0.31, (double)(await Session(night))["startState"]!["rhythm"]!["energy"]!);
        await Pass(15);
        await Do(night, "end");
        var later = await StartSession(_person);
        Assert.Equal(0.32, (double)(await Session(later))["startState"]!["rhythm"]!["energy"]!);
        await Pass(26);
        await Do(later, "end");
        Assert.Equal(2, (int)(await Api.Get($"{People}/focus/streak")).Json["streak"]!);

        // Monday 00:30 in Berlin is Sunday 22:30 in UTC: the day has only 23 hours.
        await Pass(new DateTimeOffset(2031, 3, 30, 22, 30, 0, TimeSpan.Zero) - Clock.GetUtcNow());
        var monday = await StartSession(_person);
        await Pass(12);
        await Do(monday, "end");
        var stats = (await Api.Get($"{People}/focus/stats?days=7")).Json;
        Assert.Equal(["2031-03-29", "2031-03-30", "2031-03-31"], stats["byDay"]!.AsArray().Select(d => (string)d!["day"]!));
        Assert.Equal(3, (int)stats["habit"]!["streak"]!);
        Assert.Equal(4, (int)stats["sessions"]!);
        Assert.Equal(1, (int)(await Api.Get($"{People}/focus/stats?days=1")).Json["sessions"]!);
    }
}
