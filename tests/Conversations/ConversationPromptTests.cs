using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Conversations;

/// <summary>The conversation in the resolved prompt.</summary>
public sealed class ConversationPromptTests(Room room) : IClassFixture<Room>
{
    private sealed record Talk(Person Ada, Guid Lila, string Slug, string Channel)
    {
        public string Messages => $"/v1/channels/{Channel}/messages";

        public string Query => $"?channel={Channel}";

        public async Task<string[]> Prompted(string query = "", string field = "messages")
        {
            var prompt = await Ada.Client.Prompt(Slug, Query + query);
            return [.. prompt[field]!.AsArray().Select(message => $"{message!["role"]}: {message["content"]}")];
        }
    }

    private async Task<Talk> New(object? personality = null)
    {
        var ada = await room.NewPerson("Ada");
        var (lila, slug) = await ada.NewPersonality("Keeps a lighthouse.", isPublic: true, personality);
        return new Talk(ada, lila, slug, $"c-{Guid.NewGuid():N}");
    }

    private async Task Say(Talk talk, Person person, string role, string content, string? personality = null) =>
        (await room.Service.Post(talk.Messages, new { role, content, user = person.Id, personality })).Should(HttpStatusCode.Created);

    [Fact]
    public async Task What_was_said_stands_in_every_format_with_who_said_it()
    {
        var talk = await New();
        var ben = await room.NewPerson("Ben");
        Assert.Empty(await talk.Prompted());
        await Say(talk, talk.Ada, "assistant", "Welcome aboard.", talk.Slug);
        await Say(talk, talk.Ada, "user", "Good evening", talk.Slug);
        await Say(talk, talk.Ada, "assistant", "And to you.", talk.Slug);
        await Say(talk, ben, "user", "Me too");
        await Say(talk, ben, "system", "It begins to rain.");
        var (other, _) = await talk.Ada.NewPersonality();
        await Say(talk, talk.Ada, "user", "Something else", other.ToString());
        Assert.Equal(
            ["assistant: Welcome aboard.", "user: Good evening", "assistant: And to you.", "user: Ben: Me too", "system: It begins to rain."], await talk.Prompted());
        Assert.Equal(
            ["system: ", "assistant: Welcome aboard.", "user: Good evening", "assistant: And to you.", "user: Ben: Me too", "system: It begins to rain."],
            (await talk.Prompted("&format=openai")).Select((said, i) => i == 0 ? said[..8] : said));
        Assert.Equal(["user: Good evening", "assistant: And to you.", "user: Ben: Me too", "user: System: It begins to rain."], await talk.Prompted("&format=anthropic"));
        Assert.EndsWith("assistant: And to you.\n\nuser: Ben: Me too\n\nsystem: It begins to rain.",
            (await talk.Ada.Client.Get($"/v1/personalities/{talk.Slug}/prompt{talk.Query}&format=text")).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        // To whom isn't in it, it is empty, like one that isn't there.
        var cleo = await room.NewPerson("Cleo");
        Assert.Empty((await cleo.Client.Prompt(talk.Slug, talk.Query))["messages"]!.AsArray());
        Assert.Equal((await cleo.Client.Get($"/v1/personalities/{talk.Slug}/prompt")).Text, (await cleo.Client.Get($"/v1/personalities/{talk.Slug}/prompt{talk.Query}")).Text);
    }

    [Fact]
    public async Task The_message_that_is_answered_is_said_once_and_a_prompt_with_a_window_has_no_tag()
    {
        var talk = await New();
        await Say(talk, talk.Ada, "user", "one");
        await Say(talk, talk.Ada, "user", "two");
        var posted = (await talk.Ada.Client.Post($"/v1/personalities/{talk.Slug}/prompt{talk.Query}", new { message = "two" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(["one", "two"], posted["messages"]!.AsArray().Select(message => (string)message!["content"]!));
        posted = (await talk.Ada.Client.Post($"/v1/personalities/{talk.Slug}/prompt{talk.Query}", new { message = "three" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(["one", "two", "three"], posted["messages"]!.AsArray().Select(message => (string)message!["content"]!));
        Assert.Null((await talk.Ada.Client.Get($"/v1/personalities/{talk.Slug}/prompt{talk.Query}")).Headers.ETag);
        Assert.NotNull((await talk.Ada.Client.Get($"/v1/personalities/{talk.Slug}/prompt?channel=empty")).Headers.ETag);
    }

    [Fact]
    public async Task A_channels_settings_stand_between_the_personalitys_and_the_users()
    {
        var talk = await New(new { contextWindowSize = 4 });
        for (var i = 0; i < 6; i++)
        {
            await Say(talk, talk.Ada, "user", $"{i}");
        }

        Assert.Equal(["user: 2", "user: 3", "user: 4", "user: 5"], await talk.Prompted());
        (await talk.Ada.Client.Patch($"/v1/channels/{talk.Channel}/settings", new { maxMessages = 2 })).Should(HttpStatusCode.OK);
        Assert.Equal(["user: 4", "user: 5"], await talk.Prompted());
        var prompt = await talk.Ada.Client.Prompt(talk.Slug, talk.Query);
        Assert.Equal((2, "channel"), ((int)prompt["settings"]!["maxMessages"]!, (string)prompt["sources"]!["settings"]!["maxMessages"]!));
        Assert.NotEqual((string)prompt["version"]!, (string)(await talk.Ada.Client.Prompt(talk.Slug))["version"]!);
        (await talk.Ada.Client.Patch($"/v1/users/{talk.Ada.Id}/settings", new { maxMessages = 3 })).Should(HttpStatusCode.OK);
        Assert.Equal(["user: 3", "user: 4", "user: 5"], await talk.Prompted());
        (await talk.Ada.Client.Patch($"/v1/users/{talk.Ada.Id}/settings", new { maxMessages = "off" })).Should(HttpStatusCode.OK);
        Assert.Empty(await talk.Prompted());
    }

    [Fact]
    public async Task What_was_said_fits_beside_the_rest_into_the_models_window()
    {
        var talk = await New();
        var config = (await talk.Ada.Client.Post("/v1/llm-configs", new { name = "small", model = "m", contextWindowTokens = 1000, maxTokens = 400 })).Should(HttpStatusCode.Created).Id;
        (await talk.Ada.Client.Put($"/v1/users/{talk.Ada.Id}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        for (var i = 0; i < 10; i++)
        {
            await Say(talk, talk.Ada, "user", $"{i}{string.Concat(Enumerable.Repeat(" sea", 99))}");
        }

        // About a hundred tokens each; six hundred are left, and the front takes some of them.
        var fits = (await talk.Prompted()).Length;
        Assert.InRange(fits, 4, 5);
        var posted = (await talk.Ada.Client.Post($"/v1/personalities/{talk.Slug}/prompt{talk.Query}", new { message = string.Concat(Enumerable.Repeat(" sea", 300)) })).Should(HttpStatusCode.OK).Json;
        Assert.InRange(posted["messages"]!.AsArray().Count, fits - 3, fits - 1);
    }

    [Fact]
    public async Task Over_a_hundred_turns_the_front_stays_and_the_window_moves_in_steps()
    {
        var talk = await New(new { contextWindowSize = 20 });
        var (fronts, firsts) = (new HashSet<string>(), new List<string>());
        for (var turn = 0; turn < 100; turn++)
        {
            await Say(talk, talk.Ada, turn % 2 == 0 ? "user" : "assistant", $"turn {turn}");
            if (turn == 40)
            {
                (await talk.Ada.Client.Post("/v1/focus/sessions", new { mode = "deep" })).Should(HttpStatusCode.Created);
            }

            var prompt = await talk.Ada.Client.Prompt(talk.Slug, talk.Query);
            fronts.Add(prompt.Text().Split("<current_state>")[0].Trim());
            Assert.Equal(turn > 39, prompt.Text().Contains("<current_state>", StringComparison.Ordinal));
            firsts.Add((string)prompt["messages"]![0]!["content"]!);
            Assert.Equal($"turn {turn}", (string)prompt["messages"]!.AsArray()[^1]!["content"]!);
            Assert.InRange(prompt["messages"]!.AsArray().Count, Math.Min(turn + 1, 17), 20);
        }

        Assert.Single(fronts);
        // Four at a time, when the next number that four divides has to be let go.
        Assert.Equal(21, firsts.Zip(firsts.Skip(1)).Count(pair => pair.First != pair.Second));
    }
}
