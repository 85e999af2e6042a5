namespace PersonaActors.Tests.Focus;

public sealed class FocusIsolationTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task Sessions_and_people_of_another_user_are_not_found()
    {
        var (ada, ben) = (await room.Service.Register("ada"), await room.Service.Register("ben"));
        using var hers = room.Node.Client(await room.Node.UserKey(ada));
        using var his = room.Node.Client(await room.Node.UserKey(ben));
        var session = (await hers.Post("/v1/focus/sessions", new { mode = "deep" })).Should(HttpStatusCode.Created).Id;
        (await hers.Get($"/v1/focus/sessions/{session}")).Should(HttpStatusCode.OK);
        foreach (var path in (string[])[$"/v1/focus/sessions/{session}", $"/v1/focus/sessions/{session}/events", $"/v1/focus/sessions?user={ada}",
            $"/v1/people/{ada}", $"/v1/people/{ada}/rhythm", $"/v1/people/{ada}/tasks", $"/v1/people/{ada}/memories", $"/v1/people/{ada}/focus/stats", $"/v1/people/{ada}/focus/export"])
        {
            (await his.Get(path)).Should(HttpStatusCode.NotFound);
        }

        (await his.Post($"/v1/focus/sessions/{session}/end", null)).Should(HttpStatusCode.NotFound);
        (await his.Post("/focus/end", new { session_id = session })).Should(HttpStatusCode.NotFound);
        (await his.Post("/focus/start", new { person_id = ada })).Should(HttpStatusCode.NotFound);
        (await his.Put($"/v1/people/{ada}/rhythm", new { bodyEnergy = 0.1 })).Should(HttpStatusCode.NotFound);
        (await his.Post($"/v1/people/{ada}/nudges/{Guid.NewGuid()}", new { answer = "helpful" })).Should(HttpStatusCode.NotFound);
        Assert.Equal("active", (string?)(await hers.Get($"/v1/focus/sessions/{session}")).Json["state"]);
        (await room.Service.Post($"/v1/focus/sessions/{session}/end", null)).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Nobody_is_registered_on_first_use_but_by_a_service()
    {
        using var admin = room.Node.Client(await room.Node.AdminKey());
        (await admin.Post("/focus/start", new { person_id = Guid.NewGuid() })).Should(HttpStatusCode.NotFound);
        (await room.Service.Post("/focus/start", new { person_id = Guid.NewGuid() })).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_repeated_key_starts_one_session_and_replays_its_answer()
    {
        var person = await room.Service.Register("cleo");
        var body = new { user = person, mode = "deep" };
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => room.Service.Post("/v1/focus/sessions", body, ("Idempotency-Key", "start-once"))));
        Assert.All(answers, answer => answer.Should(HttpStatusCode.Created));
        Assert.Single(answers.Select(answer => answer.Id).Distinct());
        var extended = answers[0].Id;
        for (var i = 0; i < 2; i++)
        {
            var answer = await room.Service.Post($"/v1/focus/sessions/{extended}/extend", new { minutes = 10 }, ("Idempotency-Key", "extend-once"));
            Assert.Equal(10, (int)answer.Should(HttpStatusCode.OK).Json["estimatedMinutes"]!);
        }
    }
}
