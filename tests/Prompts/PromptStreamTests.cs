using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Prompts;

/// <summary>The live stream of a prompt, as curl would read it.</summary>
public sealed class PromptStreamTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task What_goes_into_a_prompt_is_told_when_it_moves()
    {
        var ana = await room.NewPerson("Ana");
        var prompt = (await room.Admin.Post("/v1/system-prompts", new { name = "p", content = "one" })).Should(HttpStatusCode.Created).Id;
        var (id, slug) = await ana.NewPersonality(more: new { systemPromptId = prompt });
        using var listener = await PromptListener.Open(room.Node, await room.Node.UserKey(ana.Id), ana.Id, id);

        async Task Told(string what, string? from)
        {
            var told = await listener.Next();
            var changed = told["changed"]!.AsArray();
            Assert.Contains(changed, part => (string)part!["what"]! == what && (string?)part["from"] == from);
            Assert.Equal((string)(await ana.Client.Prompt(slug))["version"]!, (string)told["version"]!);
        }

        var persona = await ana.DefaultPersona();
        (await ana.Client.Patch($"/v1/personas/{persona}", new { content = "I sail." })).Should(HttpStatusCode.OK);
        await Told("persona", "user-default");
        (await ana.Client.Patch($"/v1/personalities/{slug}", new { characterInfo = "Born at sea." })).Should(HttpStatusCode.OK);
        await Told("personality", null);
        (await room.Admin.Patch($"/v1/system-prompts/{prompt}", new { content = "two" })).Should(HttpStatusCode.OK);
        await Told("systemPrompt", "personality");

        var other = (await ana.Client.Post("/v1/personas", new { name = "Captain", content = "I command." })).Should(HttpStatusCode.Created).Id;
        (await ana.Client.Put($"/v1/users/{ana.Id}/default-persona", new { personaId = other })).Should(HttpStatusCode.OK);
        await Told("persona", "user-default");
        (await ana.Client.Patch($"/v1/personas/{other}", new { content = "I obey." })).Should(HttpStatusCode.OK);
        await Told("persona", "user-default");

        // The one that is no longer in it is no longer followed; the next event is the next change.
        (await ana.Client.Patch($"/v1/personas/{persona}", new { content = "Unused." })).Should(HttpStatusCode.OK);
        (await ana.Client.Patch($"/v1/personalities/{slug}", new { tone = "warm" })).Should(HttpStatusCode.OK);
        await Told("personality", null);
    }

    [Fact]
    public async Task Every_tier_of_parameters_and_settings_is_followed()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality();
        using var listener = await PromptListener.Open(room.Node, await room.Node.UserKey(ana.Id), ana.Id, id);

        async Task Told(Task<ApiAnswer> write, string what, string? from)
        {
            Assert.True((int)(await write).Status is 200 or 201, $"{what} from {from} was not written");
            var told = await listener.Next();
            Assert.Contains(told["changed"]!.AsArray(), part => (string)part!["what"]! == what && (string?)part["from"] == from);
            Assert.Equal((string)(await ana.Client.Prompt(slug))["version"]!, (string)told["version"]!);
        }

        Task<ApiAnswer> Config(ApiClient by, object body) => by.Post("/v1/llm-configs", body);
        var tenants = await Config(room.Admin, new { name = $"g{Guid.NewGuid():N}", model = "tenants", isDefault = true });
        Assert.Equal((string)(await ana.Client.Prompt(slug))["version"]!, (string)(await listener.Next())["version"]!);
        await Told(room.Admin.Patch($"/v1/llm-configs/{tenants.Id}", new { model = "tenants' other" }), "llm.model", "tenant-default");
        var personalitys = (await Config(room.Admin, new { name = $"g{Guid.NewGuid():N}", model = "personalitys" })).Id;
        await Told(ana.Client.Put($"/v1/personalities/{slug}/default-llm-config", new { llmConfigId = personalitys }), "llm.model", "personality");
        var own = (await Config(ana.Client, new { name = "own", model = "anas" })).Id;
        await Told(ana.Client.Put($"/v1/users/{ana.Id}/default-llm-config", new { llmConfigId = own }), "llm.model", "user-default");
        await Told(ana.Client.Patch($"/v1/llm-configs/{own}", new { model = "anas other" }), "llm.model", "user-default");
        var given = (await Config(room.Admin, new { name = $"g{Guid.NewGuid():N}", model = "given" })).Id;
        await Told(ana.Client.Put($"/v1/users/{ana.Id}/overrides/{slug}", new { llmConfigId = given }), "llm.model", "override");
        // A global one that becomes her own is never out of reach for her: the prompt stays.
        (await room.Admin.Patch($"/v1/llm-configs/{given}", new { ownerId = ana.Id })).Should(HttpStatusCode.OK);

        await Told(room.Admin.Patch("/v1/tenant/settings", new { maxMessages = 11 }), "settings.maxMessages", "tenant");
        await Told(ana.Client.Patch($"/v1/personalities/{slug}/settings", new { maxMessages = 12 }), "settings.maxMessages", "personality");
        await Told(ana.Client.Patch($"/v1/users/{ana.Id}/settings", new { maxMessages = 13 }), "settings.maxMessages", "user");
        await Told(ana.Client.Patch($"/v1/users/{ana.Id}/overrides/{slug}/settings", new { maxMessages = 14 }), "settings.maxMessages", "user-personality");

        (await room.Admin.Patch("/v1/tenant/settings", new { maxMessages = (int?)null })).Should(HttpStatusCode.OK);
        (await room.Admin.Delete($"/v1/llm-configs/{tenants.Id}")).Should(HttpStatusCode.NoContent);
    }

    /// <summary>Its new owner's row is as it was, and its view isn't: who read that before the change and the catalogue after it would see it nowhere.</summary>
    [Fact]
    public async Task A_global_config_that_becomes_a_users_own_is_in_the_prompt_at_each_moment()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality();
        for (var round = 0; round < 8; round++)
        {
            var given = (await room.Admin.Post("/v1/llm-configs", new { name = $"g{Guid.NewGuid():N}", model = "given" })).Should(HttpStatusCode.Created).Id;
            (await ana.Client.Put($"/v1/users/{ana.Id}/overrides/{slug}", new { llmConfigId = given })).Should(HttpStatusCode.OK);
            var isGiven = false;
            var readers = Enumerable.Range(0, 4).Select(async _ =>
            {
                while (!Volatile.Read(ref isGiven))
                {
                    Assert.Equal("given", (string)(await ana.Client.Prompt(slug))["llm"]!["model"]!);
                }
            }).ToList();
            (await room.Admin.Patch($"/v1/llm-configs/{given}", new { ownerId = ana.Id })).Should(HttpStatusCode.OK);
            Volatile.Write(ref isGiven, true);
            await Task.WhenAll(readers);
        }
    }

    [Fact]
    public async Task What_is_not_in_the_prompt_is_not_told_and_what_is_by_its_own_name()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality();
        var config = (await ana.Client.Post("/v1/llm-configs", new { name = "own", model = "m", temperature = 0.5, topP = 0.5 })).Should(HttpStatusCode.Created).Id;
        (await ana.Client.Put($"/v1/users/{ana.Id}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        using var listener = await PromptListener.Open(room.Node, await room.Node.UserKey(ana.Id), ana.Id, id);
        var version = (string)(await ana.Client.Prompt(slug))["version"]!;

        (await ana.Client.Patch($"/v1/personalities/{slug}", new { tags = new[] { "sea" } })).Should(HttpStatusCode.OK);
        (await ana.Client.Patch($"/v1/llm-configs/{config}", new { description = "mine", memoryLimit = 10 })).Should(HttpStatusCode.OK);
        (await ana.Client.Patch($"/v1/personas/{await ana.DefaultPersona()}", new { description = "me" })).Should(HttpStatusCode.OK);
        (await ana.Client.Patch($"/v1/users/{ana.Id}", new { timeZone = "Europe/Vienna" })).Should(HttpStatusCode.OK);
        var now = await ana.Client.Prompt(slug);
        // It comes from elsewhere, though it is the same.
        Assert.Equal("user-default", (string)now["sources"]!["settings"]!["memoryLimit"]!);
        Assert.Equal(["settings.memoryLimit"], Names(await listener.Next()));
        Assert.NotEqual(version, (string)now["version"]!);

        (await ana.Client.Patch($"/v1/llm-configs/{config}", new { temperature = 0.6 })).Should(HttpStatusCode.OK);
        Assert.Equal(["llm.temperature"], Names(await listener.Next()));
        (await ana.Client.Patch($"/v1/personalities/{slug}", new { tags = new[] { "land" }, tone = "warm" })).Should(HttpStatusCode.OK);
        Assert.Equal(["personality"], Names(await listener.Next()));
    }

    [Fact]
    public async Task A_focus_session_is_told_when_it_begins_pauses_and_ends()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality();
        using var listener = await PromptListener.Open(room.Node, await room.Node.UserKey(ana.Id), ana.Id, id);
        var before = (string)(await ana.Client.Prompt(slug))["version"]!;

        async Task<string> Told(Task<ApiAnswer> command, bool shows)
        {
            Assert.True((int)(await command).Status is 200 or 201);
            var told = await listener.Next();
            Assert.Equal(["focusSession"], Names(told));
            var prompt = await ana.Client.Prompt(slug);
            Assert.Equal((shows, (string)told["version"]!), (prompt.Text().Contains("<focus_session>", StringComparison.Ordinal), (string)prompt["version"]!));
            return (string)told["version"]!;
        }

        var started = await ana.Client.Post("/v1/focus/sessions", new { mode = "deep" });
        var during = await Told(Task.FromResult(started), shows: true);
        Assert.NotEqual(before, during);
        var session = $"/v1/focus/sessions/{started.Id}";
        // What changes nothing of the text is not told.
        (await ana.Client.Post($"{session}/ping", new { biomarkers = new { focus = 0.5 } })).Should(HttpStatusCode.OK);
        Assert.Equal(before, await Told(ana.Client.Post($"{session}/pause", null), shows: false));
        Assert.Equal(during, await Told(ana.Client.Post($"{session}/resume", null), shows: true));
        Assert.Equal(before, await Told(ana.Client.Post($"{session}/end", null), shows: false));
    }

    private static IEnumerable<string> Names(JsonObject told) => told["changed"]!.AsArray().Select(part => (string)part!["what"]!);

    [Fact]
    public async Task Whoever_comes_back_is_told_the_version_that_it_missed_and_nothing_if_it_missed_none()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality();
        var key = await room.Node.UserKey(ana.Id);
        string before;
        using (var listener = await PromptListener.Open(room.Node, key, ana.Id, id))
        {
            before = await listener.Subscribed;
        }

        (await ana.Client.Patch($"/v1/personalities/{slug}", new { tone = "warm" })).Should(HttpStatusCode.OK);
        var now = (string)(await ana.Client.Prompt(slug))["version"]!;
        string after;
        using (var behind = await PromptListener.Open(room.Node, key, ana.Id, id, before))
        {
            Assert.Equal(now, (string)(await behind.Next())["version"]!);
            after = behind.LastId!;
        }

        using var level = await PromptListener.Open(room.Node, key, ana.Id, id, after);
        (await ana.Client.Patch($"/v1/personalities/{slug}", new { tone = "cold" })).Should(HttpStatusCode.OK);
        Assert.Equal((string)(await ana.Client.Prompt(slug))["version"]!, (string)(await level.Next())["version"]!);
    }

    [Fact]
    public async Task Nobody_else_may_listen()
    {
        var (ana, bob) = (await room.NewPerson("Ana"), await room.NewPerson("Bob"));
        var (id, _) = await ana.NewPersonality();
        using var http = new HttpClient { BaseAddress = room.Node.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await room.Node.UserKey(bob.Id));
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/v1/events?stream=prompt:{ana.Id}:{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/v1/events?stream=prompt:{bob.Id}:{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/v1/events?stream=prompt:{bob.Id}")).StatusCode);
    }
}

/// <summary>Reads what a prompt's stream tells, in the background, in order.</summary>
internal sealed class PromptListener : IDisposable
{
    private readonly HttpClient _http;
    private readonly StreamReader _lines;
    private readonly System.Threading.Channels.Channel<JsonObject> _told = System.Threading.Channels.Channel.CreateUnbounded<JsonObject>();

    private PromptListener(HttpClient http, StreamReader lines)
    {
        _http = http;
        _lines = lines;
        _ = Read();
    }

    private readonly TaskCompletionSource<string> _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where to go on from, as the stream said first.</summary>
    public Task<string> Subscribed => _subscribed.Task;

    /// <summary>Where to go on from, as it said last.</summary>
    public volatile string? LastId;

    /// <summary>The version told last.</summary>
    public volatile string? Last;

    /// <param name="after">The version that the listener has.</param>
    public static async Task<PromptListener> Open(Node node, string key, Guid user, Guid personality, string? after = null)
    {
        var http = new HttpClient { BaseAddress = node.Address, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (after is not null)
        {
            http.DefaultRequestHeaders.Add("Last-Event-ID", after);
        }

        var response = await http.GetAsync($"/v1/events?stream=prompt:{user}:{personality}", HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.StatusCode == HttpStatusCode.OK, response.StatusCode.ToString());
        return new PromptListener(http, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    public async Task<JsonObject> Next()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        return await _told.Reader.ReadAsync(patience.Token);
    }

    private async Task Read()
    {
        try
        {
            while (await _lines.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("id:", StringComparison.Ordinal))
                {
                    LastId = line[3..].Trim();
                    _subscribed.TrySetResult(LastId);
                }

                if (line.StartsWith("data:", StringComparison.Ordinal) && JsonNode.Parse(line[5..]) is JsonObject told && (string?)told["type"] == "prompt.changed")
                {
                    var data = told["data"]!.AsObject();
                    Last = (string)data["version"]!;
                    _told.Writer.TryWrite(data);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or HttpRequestException)
        {
            // The test is over.
        }
    }

    public void Dispose()
    {
        _lines.Dispose();
        _http.Dispose();
    }
}
