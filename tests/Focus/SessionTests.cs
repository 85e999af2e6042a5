using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class SessionTests(FocusRoom room) : FocusTest(room), IClassFixture<FocusRoom>
{
    private readonly Guid _person = Guid.NewGuid();

    [Fact]
    public async Task A_second_start_is_a_conflict_with_the_first_ones_id_or_takes_over()
    {
        var first = await StartSession(_person, new { estimatedMinutes = 45 });
        var refused = await Api.Post("/v1/focus/sessions", new { user = _person });
        refused.ShouldRefuse(HttpStatusCode.Conflict, "session_running");
        Assert.Equal(first, Guid.Parse((string)refused.Json["sessionId"]!));
        var second = await StartSession(_person, new { takeover = true });
        Assert.Equal("ended", (string)(await Session(first))["state"]!);
        Assert.Equal("active", (string)(await Session(second))["state"]!);
        Assert.Equal(1, await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}'"));
    }

    [Fact]
    public async Task Of_native_starts_at_once_one_succeeds()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Api.Post("/v1/focus/sessions", new { user = _person })));
        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        Assert.Equal(5, answers.Count(a => a.Status == HttpStatusCode.Conflict));
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_sessions WHERE person_id = '{_person}'"));
    }

    [Fact]
    public async Task Every_command_moves_the_session_and_tells_its_stream()
    {
        var id = await StartSession(_person, new { mode = "pomodoro" });
        await Pass(6);
        Assert.Equal("paused", (string)(await Do(id, "pause")).Json["state"]!);
        await Pass(2);
        (await Do(id, "pause")).Should(HttpStatusCode.OK);
        Assert.Equal("active", (string)(await Do(id, "resume")).Json["state"]!);
        var resting = (await Do(id, "break", new { minutes = 7, kind = "recovery" })).Json;
        Assert.Equal(("on_break", "recovery"), ((string)resting["state"]!, (string)resting["breakKind"]!));
        (await Do(id, "extend", new { minutes = 3 })).Should(HttpStatusCode.OK);
        var still = await Session(id);
        Assert.Equal(Clock.GetUtcNow().AddMinutes(10), (DateTimeOffset)still["phaseEndsAt"]!, TimeSpan.FromMilliseconds(1));
        Assert.Equal(Clock.GetUtcNow(), (DateTimeOffset)still["now"]!, TimeSpan.FromMilliseconds(1));
        await Do(id, "skip-break");
        await Do(id, "snooze", new { minutes = 20 });
        await Pass(10);
        await Do(id, "ping", new { biomarkers = new { idle_seconds = 240 } });
        await Pass(1);
        await Do(id, "ping");
        await Do(id, "idle-return", new { answer = "discard" });
        var ended = (await Do(id, "end", new { completionScore = 0.9 })).Should(HttpStatusCode.OK).Json;
        Assert.Equal("finished", (string)ended["endReason"]!);
        Assert.NotNull(ended["summary"]);
        (await Do(id, "pause")).ShouldRefuse(HttpStatusCode.Conflict, "session_ended");
        (await Do(id, "ping")).ShouldRefuse(HttpStatusCode.Conflict, "session_ended");
        (await Api.Get($"/v1/focus/sessions/{id}/summary")).Should(HttpStatusCode.OK);
        Assert.Single((await Api.Get($"/v1/focus/sessions?user={_person}&state=ended")).Json["items"]!.AsArray());
        Assert.Empty((await Api.Get($"/v1/focus/sessions?user={_person}&state=on_break")).Json["items"]!.AsArray());
        (await Api.Get($"/v1/focus/sessions?user={_person}&state=asleep")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        var kept = (await Api.Get($"/v1/focus/sessions/{id}/events?limit=200")).Json["items"]!.AsArray();
        Assert.Equal(await Count($"SELECT count(*) FROM focus_events WHERE session_id = '{id}'"), kept.Count);

        var types = await Query($"SELECT type FROM events WHERE stream = 'session:{id}' ORDER BY seq", r => r.GetString(0));
        // Two ticks that fell due while the clock jumped may be one or two, as the node's own sweep saw the clock: in their place they are all the same.
        var runs = types.Where((type, i) => type != "tick" || i == 0 || types[i - 1] != "tick");
        Assert.Equal(
            ["started", "tick", "paused", "resumed", "break_started", "extended", "break_over", "updated", "tick", "idle_started", "idle_ended", "ended"], runs);
        Assert.Equal(["session_started", "session_ended"], await Query($"SELECT type FROM events WHERE stream = 'companion:{_person}' ORDER BY seq", r => r.GetString(0)));
    }

    [Fact]
    public async Task A_change_under_an_outdated_version_is_refused()
    {
        var id = await StartSession(_person);
        var read = await Version(id);
        (await Do(id, "ping")).Should(HttpStatusCode.OK);
        Assert.Equal(read, await Version(id));
        var paused = (await Api.Post($"/v1/focus/sessions/{id}/pause", null, ("If-Match", $"\"{read}\""))).Should(HttpStatusCode.OK).Json;
        Assert.Equal(read + 1, (long)paused["version"]!);
        foreach (var what in (string[])["resume", "ping", "end"])
        {
            (await Api.Post($"/v1/focus/sessions/{id}/{what}", null, ("If-Match", $"{read}"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        }

        Assert.Equal("paused", (string)(await Session(id))["state"]!);
        await RestartNode();
        (await Api.Post($"/v1/focus/sessions/{id}/end", null, ("If-Match", $"{read + 1}"))).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_repeat_of_what_changed_nothing_never_changes_anything()
    {
        var id = await StartSession(_person);
        await Do(id, "pause");
        (await Api.Post($"/v1/focus/sessions/{id}/pause", null, ("Idempotency-Key", "once"))).Should(HttpStatusCode.OK);
        await Do(id, "resume");
        Assert.Equal("paused", (string)(await Api.Post($"/v1/focus/sessions/{id}/pause", null, ("Idempotency-Key", "once"))).Should(HttpStatusCode.OK).Json["state"]!);
        Assert.Equal("active", (string)(await Session(id))["state"]!);
        (await Do(id, "end")).Should(HttpStatusCode.OK);
        var ends = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Api.Post($"/v1/focus/sessions/{id}/end", null, ("Idempotency-Key", "late"))));
        Assert.All(ends, end => Assert.Equal("finished", (string)end.Should(HttpStatusCode.OK).Json["endReason"]!));
        (await Api.Post($"/v1/focus/sessions/{id}/pause", null, ("Idempotency-Key", "late"))).Should(HttpStatusCode.UnprocessableEntity);
    }

    private async Task<long> Version(Guid session) => (long)(await Session(session))["version"]!;

    [Fact]
    public async Task State_plus_later_events_is_the_state_later()
    {
        var id = await StartSession(_person);
        var before = await Session(id);
        await Do(id, "pause");
        await Pass(11);
        await Do(id, "resume");
        await Do(id, "ping", new { biomarkers = new { focus = 0.3 } });
        await Do(id, "end");
        var after = await Session(id);
        var state = before.DeepClone().AsObject();
        foreach (var data in await Query($"SELECT data::text FROM events WHERE stream = 'session:{id}' AND seq > {(long)before["cursor"]!["seq"]!} ORDER BY seq", r => r.GetString(0)))
        {
            Apply(state, System.Text.Json.Nodes.JsonNode.Parse(data)!["changes"]!.AsObject());
        }

        foreach (var body in (System.Text.Json.Nodes.JsonObject[])[state, after])
        {
            body.Remove("now");
            body.Remove("cursor");
        }

        Assert.Equal(after.ToJsonString(), state.ToJsonString());
    }

    private static void Apply(System.Text.Json.Nodes.JsonObject state, System.Text.Json.Nodes.JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is System.Text.Json.Nodes.JsonObject inner && state[name] is System.Text.Json.Nodes.JsonObject current)
            {
                Apply(current, inner);
            }
            else
            {
                state[name] = value?.DeepClone();
            }
        }
    }

    [Fact]
    public async Task Ticks_come_every_five_minutes_once_and_never_early()
    {
        var id = await StartSession(_person);
        await Pass(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        Assert.Equal([0], await Ticks(id));
        await Pass(TimeSpan.FromMilliseconds(1));
        await Node.Services.GetRequiredService<FocusSweep>().WakeDue(CancellationToken.None);
        await Eventually.True("tick 1 has run", async () => (await Ticks(id)).SequenceEqual([0, 1]));
        await Pass(17);
        await Eventually.True("the newest of the missed ticks has run", async () => (await Ticks(id))[^1] == 4);
        Assert.Equal(0, await Count("SELECT count(*) FROM focus_events e JOIN focus_sessions s ON s.id = e.session_id WHERE e.ts < s.start_time + e.tick * interval '5 minutes'"));
        Assert.Equal((await Ticks(id)).Distinct(), await Ticks(id));
    }

    /// <summary>No wake-up is as late as the one before it: measured by the clock, two ticks are less than five minutes apart.</summary>
    [Fact]
    public async Task Late_wake_ups_mute_no_nudge()
    {
        var tense = Guid.NewGuid();
        (await Api.Put($"/v1/people/{tense}/rhythm", new { stressLevel = 0.5, fatigueLevel = 0.1, bodyEnergy = 0.5 })).Should(HttpStatusCode.OK);
        var (tensed, calm) = (await StartSession(tense), await StartSession(_person));
        var start = Clock.GetUtcNow();
        double[] late = [0.9, 0.012, 25, 0.003, 0.7, 0, 0.4];
        for (var tick = 1; tick <= late.Length; tick++)
        {
            await Pass(start.AddMinutes(5 * tick).AddSeconds(late[tick - 1]) - Clock.GetUtcNow());
            await Eventually.True($"tick {tick} has run in both", async () => (await Ticks(tensed))[^1] == tick && (await Ticks(calm))[^1] == tick);
        }

        Task<List<int>> Said(Guid session) => Query($"SELECT tick FROM focus_events WHERE session_id = '{session}' AND content->>'rule' IS NOT NULL ORDER BY tick", r => r.GetInt32(0));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], await Said(tensed));
        Assert.Equal([3, 6], await Said(calm));
    }

    [Fact]
    public async Task Idle_time_is_no_focus_time()
    {
        var id = await StartSession(_person);
        await Do(id, "ping");
        await Do(id, "ping");
        await Pass(34);
        for (var i = 0; i < 3; i++)
        {
            await Do(id, "ping");
            await Pass(6);
        }

        var ended = (await Do(id, "end", new { completionScore = 1 })).Should(HttpStatusCode.OK).Json;
        var summary = ended["summary"]!;
        Assert.Equal((52, 18, 18 * 60.0), ((int)summary["durationMinutes"]!, (int)summary["activeMinutes"]!, (double)ended["activeSecondsBefore"]!));
        Assert.Equal("""[{"minute":0,"kind":"idle","minutes":34}]""", summary["frictionPoints"]!.ToJsonString());
        Assert.DoesNotContain("focused minutes", summary["wins"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(0.1, (double)(await Api.Get($"/v1/people/{_person}/focus/streak")).Json["strength"]!);
    }

    [Fact]
    public async Task A_refused_start_ends_no_session_and_registers_nobody()
    {
        var id = await StartSession(_person);
        (await Api.Post("/v1/focus/sessions", new { user = _person, takeover = true, taskId = Guid.NewGuid() })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await Api.Post("/v1/focus/sessions", new { user = _person, takeover = true, mode = "countdown" })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal("active", (string)(await Session(id))["state"]!);
        var nobody = Guid.NewGuid();
        foreach (var body in (object[])[new { user = nobody, taskId = Guid.NewGuid() }, new { user = nobody, mode = "countdown" }, new { user = nobody, estimatedMinutes = 0 }])
        {
            (await Api.Post("/v1/focus/sessions", body)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        }

        (await Api.Get($"/v1/users/{nobody}")).Should(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_session_outlives_a_restart_with_at_most_one_tick_late_and_none_twice()
    {
        var id = await StartSession(_person);
        await Do(id, "ping", new { biomarkers = new { focus = 0.2 } });
        await Pass(5);
        await RestartNode();
        await Pass(6);
        // Two low pings in a row, one of them from before the restart.
        await Do(id, "ping", new { biomarkers = new { focus = 0.2 } });
        await Pass(4);
        await Eventually.True("the ticks after the restart have run", async () => (await Ticks(id))[^1] == 3);
        Assert.Equal((await Ticks(id)).Distinct(), await Ticks(id));
        Assert.Equal("active", (string)(await Session(id))["state"]!);
    }

    [Fact]
    public async Task What_ends_by_itself_ends_at_its_time_though_woken_late()
    {
        var id = await StartSession(_person, new { mode = "countdown", estimatedMinutes = 30 });
        var start = Clock.GetUtcNow();
        await Pass(47);
        await Eventually.True("the countdown has ended", async () => (string)(await Session(id))["state"]! == "ended");
        var ended = await Session(id);
        Assert.Equal("countdown", (string)ended["endReason"]!);
        Assert.Equal(start.AddMinutes(30), (DateTimeOffset)ended["endedAt"]!, TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task A_forgotten_session_is_abandoned_and_summed_up()
    {
        var id = await StartSession(_person);
        await Pass(TimeSpan.FromHours(9));
        await Eventually.True("it is abandoned", async () => (string?)(await Session(id))["endReason"] == "abandoned");
        await Eventually.True("its memory is kept", async () =>
        {
            Clock.Advance(TimeSpan.FromSeconds(2));
            return await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}'") == 1;
        });
    }

    [Fact]
    public async Task An_end_during_a_tick_is_one_end()
    {
        var id = await StartSession(_person);
        Clock.Advance(TimeSpan.FromMinutes(5));
        await Task.WhenAll(
            Node.Services.GetRequiredService<FocusSweep>().WakeDue(CancellationToken.None),
            Do(id, "end"), Do(id, "end"), Node.Services.GetRequiredService<FocusSweep>().WakeDue(CancellationToken.None));
        Assert.Equal([0, 1], await Ticks(id));
        Assert.Equal(1, await Count($"SELECT count(*) FROM events WHERE stream = 'session:{id}' AND type = 'ended'"));
        Assert.Equal(1, await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}'"));
    }

    [Fact]
    public async Task A_nudge_can_be_answered_and_snoozed()
    {
        await Api.Put($"/v1/people/{_person}/rhythm", new { stressLevel = 0.8, fatigueLevel = 0.8, bodyEnergy = 0.5 });
        var id = await StartSession(_person);
        var nudge = (await Session(id))["lastNudge"]!;
        Assert.Equal("recovery_break_suggestion", (string)nudge["type"]!);
        Assert.Equal(10, (int)nudge["recovery"]!["minutes"]!);
        Assert.Equal(
            [(string)nudge["eventId"]!, (string)nudge["eventId"]!],
            await Query($"SELECT id::text FROM focus_events WHERE session_id = '{id}' AND content->>'rule' = '1' UNION ALL SELECT id::text FROM events WHERE stream = 'session:{id}' AND type = 'nudge'", r => r.GetString(0)));
        var answered = (await Api.Post($"/v1/focus/sessions/{id}/nudges/{nudge["eventId"]}", new { answer = "snooze_15" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(Clock.GetUtcNow().AddMinutes(15), (DateTimeOffset)answered["snoozedUntil"]!, TimeSpan.FromMilliseconds(1));
        (await Api.Post($"/v1/focus/sessions/{id}/nudges/{Guid.NewGuid()}", new { answer = "helpful" })).Should(HttpStatusCode.NotFound);
        Assert.Equal(1, (int)(await Api.Get($"/v1/people/{_person}/focus/stats?days=1")).Json["nudgesAnswered"]!);
    }

    private Task<List<int>> Ticks(Guid session) =>
        Query($"SELECT tick FROM focus_events WHERE session_id = '{session}' AND tick IS NOT NULL ORDER BY tick", r => r.GetInt32(0));
}
