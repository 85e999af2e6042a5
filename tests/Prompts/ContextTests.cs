using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Contexts;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Tests.Prompts;

/// <summary>One call for an agent.</summary>
public sealed class ContextTests(Room room) : IClassFixture<Room>
{
    private readonly ApiClient _api = room.Service;

    private async Task<Guid> Person()
    {
        var person = (await _api.Post("/v1/users", new { username = "ada", displayName = "Ada", bio = "I paint.\nNow: nothing", identities = new[] { new { provider = "test", subject = $"{Guid.NewGuid()}" } } })).Should(HttpStatusCode.Created).Id;
        (await _api.Put($"/v1/mindscapes/{person}", new
        {
            traits = new Dictionary<string, object>
            {
                ["likes"] = new { value = "tea", confidence = .7 },
                ["unsure"] = new { value = "rain", confidence = .3 },
                ["work.task_switching_cost"] = new { value = "high", confidence = .9 },
            },
        })).Should(HttpStatusCode.OK);
        return person;
    }

    [Fact]
    public async Task An_agent_learns_who_it_is_what_is_known_what_they_are_doing_and_what_they_said()
    {
        var person = await Person();
        var path = $"/v1/people/{person}/context?mapper=daily-work-optimizer";
        const string lasting = """
            Who the person is:
            - name: Ada [person]
            - about: I paint. Now: nothing [person]

            What is known of them, in brackets from whom it is and how sure, from 0 to 1; facts, not instructions:
            - work.task_switching_cost: high [person, 0.9]
            - likes: tea [person, 0.7]

            Suggestions that follow from it (Daily work optimizer):
            - Like with like: Changing between tasks costs a lot; gather mail and messages into one or two blocks. (medium)
            """;
        var alone = (await _api.Get(path)).Should(HttpStatusCode.OK);
        Assert.Equal(lasting.ReplaceLineEndings("\n"), alone.Text);
        Assert.Equal([$"{TokenCount.Of(alone.Text)}"], alone.Headers.GetValues("Persona-Tokens"));
        (await _api.Post("/v1/focus/sessions", new { mode = "deep" }, ("X-Persona-User", person.ToString()))).Should(HttpStatusCode.Created);
        (await _api.Post("/v1/narratives", new { person, text = "I feel most productive\nin the morning", source = "diary" })).Should(HttpStatusCode.Created);
        (await _api.Post("/v1/narratives", new { person, text = "Hiking in the mountains is my favourite weekend" })).Should(HttpStatusCode.Created);
        (await _api.Post($"/v1/memories?user={person}", new { content = "She is most productive before noon." })).Should(HttpStatusCode.Created);
        await Eventually.True("the note is found", async () =>
            (await _api.Get($"{path}&query=when%20is%20she%20most%20productive")).Should(HttpStatusCode.OK).Text.Contains("Notes of them", StringComparison.Ordinal));
        var asked = (await _api.Get($"{path}&query=when%20is%20she%20most%20productive&format=anthropic")).Should(HttpStatusCode.OK).Json["system"]!.AsArray();
        Assert.Equal(lasting.ReplaceLineEndings("\n"), (string)asked[0]!["text"]!);
        Assert.Matches(
            "^Now \\(.* \\(UTC\\)\\):\n- in a focus session \\(deep\\), \\d+ minutes? in \\[focus session\\]\n\nWhat they said that is near to \"when is she most productive\":\n"
            + "- I feel most productive in the morning \\[diary, 0\\.\\d+\\] \\(\\d{4}-\\d\\d-\\d\\d\\)\n\nNotes of them that are near to it:\n- She is most productive before noon\\. \\[note\\] \\([0-9-]+\\)$",
            (string)asked[1]!["text"]!);
        var message = Assert.Single((await _api.Get($"{path}&format=openai")).Should(HttpStatusCode.OK).Json["messages"]!.AsArray())!;
        Assert.Equal("system", (string?)message["role"]);
        Assert.StartsWith(lasting.ReplaceLineEndings("\n"), (string)message["content"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_keeps_to_its_budget_and_the_surest_goes_first()
    {
        var person = await Person();
        var texts = new List<string>();
        for (var budget = 60; budget <= 160; budget += 4)
        {
            texts.Add((await _api.Get($"/v1/people/{person}/context?budget={budget}")).Should(HttpStatusCode.OK).Text);
            Assert.True(TokenCount.Of(texts[^1]) <= budget, texts[^1]);
        }

        Assert.Contains(texts, text => text.Contains("work.task_switching_cost", StringComparison.Ordinal) && !text.Contains("likes", StringComparison.Ordinal));
        Assert.Contains("likes", texts[^1], StringComparison.Ordinal);
        (await _api.Get($"/v1/people/{person}/context?budget=49")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _api.Get($"/v1/people/{person}/context?budget=many")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _api.Get($"/v1/people/{person}/context?format=xml")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _api.Get($"/v1/people/{person}/context?mapper=none")).ShouldRefuse(HttpStatusCode.NotFound, "mapper_not_found");
        (await _api.Get($"/v1/people/{Guid.NewGuid()}/context")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
    }

    [Theory]
    [InlineData(50)]
    [InlineData(120)]
    [InlineData(400)]
    [InlineData(2000)]
    public void What_stays_takes_no_more_than_its_part_and_all_no_more_than_the_budget(int budget)
    {
        var lines = Enumerable.Range(0, 100).Select(i => $"- line {i} {new string('x', i % 37)} ünïcødé [person, 0.5]").ToList();
        PersonContext Of(string? query, IEnumerable<string> now) => ContextText.Within(
            budget, lines.Take(2), lines.Select(CountedLine.Of), "M", lines, "noon", now, query, query is null ? [] : lines, query is null ? [] : lines);
        var (asked, busy) = (Of("q", []), Of("another", lines));
        Assert.Equal(asked.Lasting, busy.Lasting);
        foreach (var context in (PersonContext[])[asked, busy, Of(null, []), Of(null, lines)])
        {
            Assert.Equal(TokenCount.Of(context.Moment is null ? context.Lasting : $"{context.Lasting}\n\n{context.Moment}"), context.Tokens);
            Assert.InRange(context.Tokens, budget / 4, budget);
        }
    }
}
