using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using PersonaActors.Tests.Catalogues;
using PersonaActors.Tests.Harness;

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

    /// <summary>The version told last.</summary>
    public volatile string? Last;

    public static async Task<PromptListener> Open(Node node, string key, Guid user, Guid personality)
    {
        var http = new HttpClient { BaseAddress = node.Address, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
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
