namespace PersonaActors.Tests.Focus;

public sealed class SeedCallsTests(FocusRoom room) : FocusTest(room), IClassFixture<FocusRoom>
{
    private readonly Guid _person = Guid.NewGuid();

    private string StartCall => $$"""{"person_id":"{{_person}}","task_id":null,"estimated_duration":45,"mode":"deep"}""";

    [Fact]
    public async Task The_three_calls_of_the_founding_document_work_as_they_stand_there()
    {
        var started = (await Api.Post("/focus/start", StartCall)).Should(HttpStatusCode.OK).Json;
        var session = (string)started["session_id"]!;
        Assert.Equal("Okay, I'm here with you. Let's focus on this session.", (string)started["ack"]!);
        Assert.Equal("neutral", (string)started["start_state"]!["emotion"]!["mood"]!);
        Assert.NotNull(started["start_state"]!["rhythm"]);
        Assert.NotNull(started["start_state"]!["task"]);
        Assert.Equal(["mood", "energy", "stress", "motivation", "focus_state", "tags"], started["start_state"]!["emotion"]!.AsObject().Select(p => p.Key));
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_events WHERE session_id = '{session}' AND tick = 0"));

        var ping = await Api.Post("/focus/ping", $$$"""{"session_id":"{{{session}}}","biomarkers":{"focus":0.8,"mood_ring":"green"},"app":"x"}""");
        Assert.Equal("""{"status":"ok"}""", ping.Should(HttpStatusCode.OK).Text);

        await Pass(30);
        var end = $$$"""{"session_id":"{{{session}}}","completion_score":0.8,"session_quality":{"note":"test"},"early_end":false}""";
        var first = (await Api.Post("/focus/end", end)).Should(HttpStatusCode.OK);
        var again = (await Api.Post("/focus/end", end)).Should(HttpStatusCode.OK);
        Assert.Equal($$"""{"status":"ok","session_id":"{{session}}"}""", first.Text);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_events WHERE session_id = '{session}' AND event_type = 'session_end'"));
        Assert.Equal("""{"note":"test","early_end":false}""", (await Query($"SELECT session_quality::text FROM focus_sessions WHERE id = '{session}'", r => r.GetString(0)))[0]);
        Assert.Equal(1, await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}' AND type = 'focus_session_summary'"));
        Assert.Equal(1, await Count($"SELECT habit_streak::bigint FROM personal_model WHERE person_id = '{_person}'"));
        (await Api.Post("/focus/ping", $$"""{"session_id":"{{session}}"}""")).Should(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_score_out_of_bounds_is_422_and_the_session_lives_on()
    {
        var session = (string)(await Api.Post("/focus/start", StartCall)).Json["session_id"]!;
        (await Api.Post("/focus/end", $$"""{"session_id":"{{session}}","completion_score":1.1}""")).Should(HttpStatusCode.UnprocessableEntity);
        (await Api.Post("/focus/ping", $$$"""{"session_id":"{{{session}}}","biomarkers":{"focus":"high"}}""")).Should(HttpStatusCode.UnprocessableEntity);
        (await Api.Post("/focus/ping", $$"""{"session_id":"{{session}}"}""")).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Early_ends_are_kept_in_the_quality_whatever_else_is_in_it()
    {
        var session = (string)(await Api.Post("/focus/start", StartCall)).Json["session_id"]!;
        await Api.Post("/focus/end", $$"""{"session_id":"{{session}}","early_end":true}""");
        Assert.Equal(("""{"early_end":true}""", "early"), (await Query($"SELECT session_quality::text, end_reason FROM focus_sessions WHERE id = '{session}'", r => (r.GetString(0), r.GetString(1))))[0]);
    }

    [Fact]
    public async Task Two_starts_at_once_are_one_session_and_both_are_answered_with_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Api.Post("/focus/start", StartCall)));
        Assert.Single(answers.Select(a => (string)a.Should(HttpStatusCode.OK).Json["session_id"]!).Distinct());
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_sessions WHERE person_id = '{_person}'"));
    }

    [Fact]
    public async Task A_later_start_takes_over()
    {
        var first = (string)(await Api.Post("/focus/start", StartCall)).Json["session_id"]!;
        await Pass(12);
        var second = (string)(await Api.Post("/focus/start", StartCall)).Json["session_id"]!;
        Assert.NotEqual(first, second);
        Assert.Equal("taken_over", (await Query($"SELECT end_reason FROM focus_sessions WHERE id = '{first}'", r => r.GetString(0)))[0]);
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_sessions WHERE person_id = '{_person}' AND status <> 'ended'"));
        Assert.Equal(1, await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}'"));
    }

    [Fact]
    public async Task Two_ends_at_once_are_one_end_with_one_answer()
    {
        var session = (string)(await Api.Post("/focus/start", StartCall)).Json["session_id"]!;
        await Pass(26);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Api.Post("/focus/end", $$"""{"session_id":"{{session}}","completion_score":0.{{i}}}""")));
        Assert.Single(answers.Select(a => a.Should(HttpStatusCode.OK).Text).Distinct());
        Assert.Equal(1, await Count($"SELECT count(*) FROM focus_events WHERE session_id = '{session}' AND event_type = 'session_end'"));
        Assert.Equal(1, await Count($"SELECT count(*) FROM events WHERE stream = 'session:{session}' AND type = 'ended'"));
        Assert.Equal(1, await Count($"SELECT count(*) FROM memory_short_term WHERE person_id = '{_person}'"));
    }

    [Theory]
    [InlineData("start", """{"task_id":null}""")]
    [InlineData("start", """{"person_id":"not a uuid"}""")]
    [InlineData("start", """{"person_id":"565bdb63-124b-4692-a039-846fddceff90","mode":"lazy"}""")]
    [InlineData("start", """{"person_id":"565bdb63-124b-4692-a039-846fddceff90","estimated_duration":0}""")]
    [InlineData("start", """{"person_id":"565bdb63-124b-4692-a039-846fddceff90","task_id":"565bdb63-124b-4692-a039-846fddceff91"}""")]
    [InlineData("ping", "{}")]
    [InlineData("end", """{"session_id":7}""")]
    [InlineData("end", "nonsense")]
    [InlineData("end", "")]
    public async Task What_is_not_valid_is_422(string call, string body) =>
        (await Api.Post($"/focus/{call}", body)).Should(HttpStatusCode.UnprocessableEntity);

    [Theory]
    [InlineData("""{"person_id":"565bdb63-124b-4692-a039-846fddceff90","estimated_duration":0}""", "estimated_duration")]
    [InlineData("""{"person_id":"565bdb63-124b-4692-a039-846fddceff90","mode":"countdown"}""", "estimated_duration")]
    [InlineData("""{"person_id":"565bdb63-124b-4692-a039-846fddceff90","task_id":"565bdb63-124b-4692-a039-846fddceff91"}""", "task_id")]
    public async Task A_refusal_names_the_field_as_it_was_sent(string body, string field)
    {
        var refused = await Api.Post("/focus/start", body);
        refused.ShouldRefuse(HttpStatusCode.UnprocessableEntity, "invalid_field");
        Assert.Equal(field, (string)refused.Json["field"]!);
        Assert.DoesNotContain("estimatedMinutes", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_session_is_not_found()
    {
        (await Api.Post("/focus/ping", $$"""{"session_id":"{{Guid.NewGuid()}}"}""")).Should(HttpStatusCode.NotFound);
        (await Api.Post("/focus/end", $$"""{"session_id":"{{Guid.NewGuid()}}"}""")).Should(HttpStatusCode.NotFound);
    }
}
