using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>From observations to traits, over HTTP.</summary>
public sealed class MindscapeTests(Room room) : IClassFixture<Room>
{
    private readonly ApiClient _service = room.Service;

    private Task<ApiAnswer> Observe(Guid person, object content, string type = "work_session", params (string, string)[] headers) =>
        _service.Post("/v1/observations", new { person, type, content }, headers);

    private async Task<JsonObject> Known(Guid person, Func<JsonObject, bool> until)
    {
        JsonObject? known = null;
        await Eventually.True("the mindscape knows it", async () =>
        {
            var answer = await _service.Get($"/v1/mindscapes/{person}");
            known = answer.Status == HttpStatusCode.OK ? answer.Json : null;
            return known is not null && until(known);
        });
        return known!;
    }

    private static JsonNode? Value(JsonObject mindscape, string path) => mindscape["traits"]![path]?["value"];

    [Fact]
    public async Task Observations_become_traits_and_those_a_persona()
    {
        var person = Guid.NewGuid();
        (await _service.Get($"/v1/mindscapes/{person}")).Should(HttpStatusCode.NotFound);
        (await Observe(person, new { duration_minutes = 60, productivity_score = 5, start = "2026-05-04T09:30:00Z", interruptions = 3 })).Should(HttpStatusCode.Created);
        (await Observe(person, new { duration_minutes = 120 })).Should(HttpStatusCode.Created);
        var known = await Known(person, mindscape => (int?)mindscape["traits"]!["work.focus_duration"]?["sampleSize"] == 2);
        Assert.Equal(90, (double)Value(known, "work.focus_duration")!);
        Assert.Equal("high", (string?)Value(known, "current_state.energy_level"));
        Assert.Equal("""["09:00-10:00"]""", Value(known, "work.peak_hours")!.ToJsonString());

        var persona = (await _service.Post("/v1/generated-personas", new { person, mapper = "daily-work-optimizer", context = new { current_time = "2026-05-04T09:30:00Z" } })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(90, (int)persona["core"]!["work_style"]!["focus_blocks"]!["default"]!);
        var suggestions = persona["overlay"]!["suggestions"]!.AsArray();
        Assert.Contains(suggestions, suggestion => (string?)suggestion!["rule_id"] == "deep_work_in_the_morning" && (string?)suggestion["title"] == "Deep work this morning");
        Assert.Contains(suggestions, suggestion => (string?)suggestion!["rule_id"] == "batch_similar_tasks");
        Assert.False((bool)persona["stale"]!);
        (await Observe(person, new { duration_minutes = 30 })).Should(HttpStatusCode.Created);
        await Eventually.True("the persona is stale", async () => (bool)(await _service.Get($"/v1/generated-personas/{persona["id"]}")).Should(HttpStatusCode.OK).Json["stale"]!);
    }

    [Fact]
    public async Task The_senders_own_id_takes_effect_once_whoever_sends_it()
    {
        var person = Guid.NewGuid();
        var body = new { person, type = "work_session", content = new { duration_minutes = 60 }, clientId = "mine" };
        var first = (await _service.Post("/v1/observations", body)).Should(HttpStatusCode.Created);
        using var another = room.Node.Client(await room.Node.ServiceKey());
        var again = (await another.Post("/v1/observations", body)).Should(HttpStatusCode.OK);
        Assert.Equal(first.Id, again.Id);
        var keyed = (await Observe(person, new { duration_minutes = 120 }, headers: ("Idempotency-Key", "once"))).Should(HttpStatusCode.Created);
        Assert.Equal(keyed.Id, (await Observe(person, new { duration_minutes = 120 }, headers: ("Idempotency-Key", "once"))).Should(HttpStatusCode.Created).Id);
        Assert.Equal(keyed.Id, (await another.Post("/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 120 } }, ("Idempotency-Key", "once"))).Should(HttpStatusCode.OK).Id);
        var known = await Known(person, mindscape => (long)mindscape["version"]! == 2);
        Assert.Equal((90.0, 2), ((double)Value(known, "work.focus_duration")!, (int)known["traits"]!["work.focus_duration"]!["sampleSize"]!));
        Assert.Equal([2L, 1L], (await _service.Get($"/v1/observations?person={person}")).Json["items"]!.AsArray().Select(item => (long)item!["number"]!));
    }

    [Fact]
    public async Task A_set_that_is_refused_registers_nobody()
    {
        var person = Guid.NewGuid();
        var traits = new { likes = "tea" };
        (await _service.Put($"/v1/mindscapes/{person}", new { traits, version = 5 })).ShouldRefuse(HttpStatusCode.Conflict, "mindscape_version_conflict");
        (await _service.Put($"/v1/mindscapes/{person}", new { traits }, ("If-Match", "\"1\""))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Get($"/v1/users/{person}")).Should(HttpStatusCode.NotFound);
        (await _service.Put($"/v1/mindscapes/{person}", new { traits, version = 0 })).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_batch_says_of_each_what_became_of_it()
    {
        var (ada, ben) = (Guid.NewGuid(), Guid.NewGuid());
        object One(object? who, string? type, object content, string? clientId = null) => new { person = who, type, content, clientId };
        var batch = new
        {
            observations = new[]
            {
                One(ada, "work_session", new { duration_minutes = 30 }, "1"), One(ben, "work_session", new { duration_minutes = 60 }), One(ada, "work_session", new { duration_minutes = 30 }, "1"),
                One(ada, "", new { }), One(null, "work_session", new { }), One("nobody:9", "work_session", new { }),
                One(ada, "user_input", new { timestamp = "2100-01-01T00:00:00Z" }), One(ada, "work_session", new { duration_minutes = 90 }),
            },
        };
        var results = (await _service.Post("/v1/observations:batch", batch, ("Idempotency-Key", $"batch {ada}"))).Should(HttpStatusCode.OK).Json["results"]!.AsArray();
        Assert.Equal(["recorded", "recorded", "duplicate", "refused", "refused", "refused", "refused", "recorded"], results.Select(result => (string)result!["status"]!));
        Assert.Equal([null, null, null, "type", "person", null, "content.timestamp", null], results.Select(result => (string?)result!["field"]));
        Assert.Equal((string)results[0]!["id"]!, (string)results[2]!["id"]!);
        var again = (await _service.Post("/v1/observations:batch", batch, ("Idempotency-Key", $"batch {ada}"))).Should(HttpStatusCode.OK);
        Assert.Equal(results.ToJsonString(), again.Json["results"]!.ToJsonString());
        var known = await Known(ada, mindscape => (long)mindscape["version"]! == 2);
        Assert.Equal(60, (double)Value(known, "work.focus_duration")!);
        Assert.Equal(60, (double)Value(await Known(ben, _ => true), "work.focus_duration")!);
        (await _service.Post("/v1/observations:batch", new { observations = Enumerable.Repeat(One(ada, "x", new { }), 1001) })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _service.Post("/v1/observations:batch", new { observations = Array.Empty<object>() })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task A_mindscape_is_set_by_its_version_and_numbered_with_the_observations()
    {
        var person = Guid.NewGuid();
        (await Observe(person, new { duration_minutes = 60 })).Should(HttpStatusCode.Created);
        await Known(person, _ => true);
        var body = new { traits = new Dictionary<string, object> { ["work.chronotype"] = "morning", ["work.focus_duration"] = new { value = 60, confidence = .9, sampleSize = 1 } }, version = 1 };
        var set = (await _service.Put($"/v1/mindscapes/{person}", body)).Should(HttpStatusCode.OK).Json;
        Assert.Equal(2, (long)set["version"]!);
        (await _service.Put($"/v1/mindscapes/{person}", body)).ShouldRefuse(HttpStatusCode.Conflict, "mindscape_version_conflict");
        (await _service.Put($"/v1/mindscapes/{person}", new { traits = new { a = 1 } }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await Observe(person, new { duration_minutes = 120 })).Should(HttpStatusCode.Created);
        var known = await Known(person, mindscape => (long)mindscape["version"]! == 3);
        Assert.Equal((90.0, "morning"), ((double)Value(known, "work.focus_duration")!, (string?)Value(known, "work.chronotype")));
        var history = (await _service.Get($"/v1/mindscapes/{person}/history")).Json["items"]!.AsArray();
        Assert.Equal([(3L, "observation"), (2L, "traits"), (1L, "observation")], history.Select(version => ((long)version!["version"]!, (string)version["cause"]!["kind"]!)));
        (await _service.Put($"/v1/mindscapes/{person}", new { })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task Why_and_since_when_are_answered_and_what_is_forgotten_is_gone_from_all_of_it()
    {
        var person = Guid.NewGuid();
        var early = TimeProvider.System.GetUtcNow().AddDays(-2);
        (await _service.Post("/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 30 }, observedAt = early, source = "calendar" })).Should(HttpStatusCode.Created);
        await Known(person, _ => true);
        var secret = (await Observe(person, new { duration_minutes = 300 })).Should(HttpStatusCode.Created).Id;
        var between = (string)(await Known(person, mindscape => (long)mindscape["version"]! == 2))["updatedAt"]!;
        (await Observe(person, new { duration_minutes = 60 })).Should(HttpStatusCode.Created);
        await Known(person, mindscape => (long)mindscape["version"]! == 3);

        var trait = (await _service.Get($"/v1/mindscapes/{person}/traits/work.focus_duration")).Should(HttpStatusCode.OK).Json;
        Assert.Equal((130.0, 3), ((double)trait["value"]!, (int)trait["sampleSize"]!));
        Assert.Equal(early.UtcDateTime, ((DateTimeOffset)trait["firstSeen"]!).UtcDateTime, TimeSpan.FromMilliseconds(1));
        var because = (await _service.Get($"/v1/mindscapes/{person}/traits/work.focus_duration/why")).Json["because"]!.AsArray();
        Assert.Equal(130, because.Sum(part => (double)part!["share"]! * (double)part["input"]!), 6);
        Assert.Equal(["calendar", null, null], because.Select(part => (string?)part!["source"]));
        Assert.Equal([3L, 2L, 1L], (await _service.Get($"/v1/mindscapes/{person}/traits/work.focus_duration/history")).Json["items"]!.AsArray().Select(item => (long)item!["version"]!));
        var then = (await _service.Get($"/v1/mindscapes/{person}?asOf={Uri.EscapeDataString(between)}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal((165.0, 2L), ((double)Value(then, "work.focus_duration")!, (long)then["version"]!));
        (await _service.Get($"/v1/mindscapes/{person}?asOf=2001-01-01")).Should(HttpStatusCode.NotFound);

        (await _service.Delete($"/v1/observations/{secret}")).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/observations/{secret}")).ShouldRefuse(HttpStatusCode.NotFound, "observation_not_found");
        var left = (await _service.Get($"/v1/mindscapes/{person}")).Json;
        Assert.Equal((45.0, 4L), ((double)Value(left, "work.focus_duration")!, (long)left["version"]!));
        Assert.Equal(30, (double)Value((await _service.Get($"/v1/mindscapes/{person}?asOf={Uri.EscapeDataString(between)}")).Json, "work.focus_duration")!);
        var told = (await _service.Get($"/v1/mindscapes/{person}/history")).Json["items"]!.AsArray();
        Assert.Equal(["forgotten", "observation", "observation"], told.Select(version => (string)version!["cause"]!["kind"]!));
        Assert.Equal(
            new (long, double?, double?, double?)[] { (4, null, 45, null), (3, 30, 45, 60), (1, null, 30, 30) },
            told.Select(version => (Version: (long)version!["version"]!, Change: version["changes"]!["work.focus_duration"]!))
                .Select(one => (one.Version, (double?)one.Change["before"]?["value"], (double?)one.Change["after"]?["value"], (double?)one.Change["input"])));
        Assert.Equal(45, (await _service.Get($"/v1/mindscapes/{person}/traits/work.focus_duration/why")).Json["because"]!.AsArray().Sum(part => (double)part!["share"]! * (double)part["input"]!), 6);
        Assert.DoesNotContain(secret.ToString(), (await _service.Get($"/v1/observations?person={person}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_learning_is_paused_nothing_is_stored_and_senders_are_told()
    {
        var person = await _service.Register("ada");
        (await _service.Put($"/v1/mindscapes/{person}/learning", new { paused = true })).Should(HttpStatusCode.OK);
        (await Observe(person, new { duration_minutes = 60 })).ShouldRefuse(HttpStatusCode.Conflict, "learning_paused");
        Assert.Equal("learning_paused", (string?)(await _service.Post("/v1/observations:batch", new { observations = new[] { new { person, type = "x", content = new { } } } })).Json["results"]![0]!["code"]);
        (await _service.Put($"/v1/mindscapes/{person}/learning", new { paused = false })).Should(HttpStatusCode.OK);
        (await Observe(person, new { duration_minutes = 60 })).Should(HttpStatusCode.Created);
        Assert.Equal(1, (long)(await Known(person, _ => true))["version"]!);
    }

    [Fact]
    public async Task What_an_agent_says_again_a_thousand_times_changes_nothing()
    {
        var person = Guid.NewGuid();
        var content = new { type = "energy_check", energy_level = "low", traits = new Dictionary<string, object> { ["likes"] = new[] { "tea" } } };
        (await _service.Post("/v1/observations", new { person, type = "user_input", content, source = "person" })).Should(HttpStatusCode.Created);
        var before = (await Known(person, _ => true))["traits"]!;
        (await _service.Post("/v1/observations:batch", new { observations = Enumerable.Repeat(new { person, type = "user_input", content, source = "agent" }, 1000) })).Should(HttpStatusCode.OK);
        (await _service.Post("/v1/observations", new { person, type = "work_session", content = new { interruptions = 1 } })).Should(HttpStatusCode.Created);
        var after = await Known(person, mindscape => (long)mindscape["version"]! == 1002);
        after["traits"]!.AsObject().Remove("work.task_switching_cost");
        Assert.True(JsonNode.DeepEquals(before, after["traits"]), after.ToJsonString());
    }

    [Fact]
    public async Task Events_say_what_changed_and_lead_from_state_to_state()
    {
        var person = await _service.Register("ada");
        (await Observe(person, new { duration_minutes = 60 })).Should(HttpStatusCode.Created);
        var known = await Known(person, _ => true);
        var persona = (await _service.Post("/v1/generated-personas", new { person, mapper = "daily-work-optimizer" })).Should(HttpStatusCode.Created).Id;
        (await Observe(person, new { duration_minutes = 30 })).Should(HttpStatusCode.Created);
        await Known(person, mindscape => (long)mindscape["version"]! == 2);
        var told = await Sql.Rows(room.Database.Superuser, $"SELECT type, data::text FROM events WHERE stream = 'mindscape:{person}' ORDER BY seq", row => (Type: row.GetString(0), Data: row.GetString(1)));
        Assert.Equal(["observation.recorded", "trait.changed", "persona.generated", "observation.recorded", "persona.stale", "trait.changed"], told.Select(one => one.Type));
        Assert.Contains(persona.ToString(), told[4].Data, StringComparison.Ordinal);
        var patch = JsonNode.Parse(told[5].Data)!["changes"]!;
        Assert.Equal((2L, 45.0), ((long)patch["version"]!, (double)patch["traits"]!["work.focus_duration"]!["value"]!));
        Assert.Equal(2, (long)known["cursor"]!["seq"]!);
    }

    [Fact]
    public async Task A_deleted_person_leaves_nothing()
    {
        var person = await _service.Register("ada");
        (await Observe(person, new { duration_minutes = 60 })).Should(HttpStatusCode.Created);
        await Known(person, _ => true);
        var persona = (await _service.Post("/v1/generated-personas", new { person, mapper = "daily-work-optimizer" })).Should(HttpStatusCode.Created).Id;
        (await _service.Post("/v1/feedback", new { personaId = persona, helpful = true, ruleId = "protect_focus_block" })).Should(HttpStatusCode.Created);
        (await _service.Delete($"/v1/users/{person}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/mindscapes/{person}")).Should(HttpStatusCode.NotFound);
        (await _service.Get($"/v1/generated-personas/{persona}")).Should(HttpStatusCode.NotFound);
        foreach (var table in (string[])["mindscapes", "observations", "mindscape_history", "generated_personas", "feedback"])
        {
            Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM {table} WHERE person_id = '{person}'"));
        }

        await Eventually.True("its events are gone", async () => await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM events WHERE stream = 'mindscape:{person}'") == 0);
        (await Observe(person, new { duration_minutes = 30 })).Should(HttpStatusCode.Created);
        Assert.Equal(30, (double)Value(await Known(person, _ => true), "work.focus_duration")!);
    }
}
