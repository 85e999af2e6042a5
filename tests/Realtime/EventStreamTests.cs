using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Realtime;

/// <summary>The same streams over plain HTTP, as curl reads them.</summary>
public sealed class EventStreamTests(Room room) : IClassFixture<Room>
{
    private Node Node => room.Node;

    [Fact]
    public async Task A_stream_is_read_from_a_cursor_and_goes_on_after_the_last_id()
    {
        var user = await room.Service.Register("Curl");
        var epoch = Node.Database.Epoch;
        string last;
        using (var reader = await Reader.Open(Node, await Node.UserKey(user), $"/v1/events?stream=user:{user}&from={epoch}:0"))
        {
            Assert.Equal("subscribed", (await reader.Next()).Type);
            Assert.Equal("user.registered", (await reader.Next()).Type);
            var second = await reader.Next();
            Assert.Equal(("persona.created", $"{epoch}:2"), (second.Type, second.Id));
            Assert.Equal(2, (long)second.Data["seq"]!);
            last = second.Id;
        }

        await new StreamWriter(Node).Write(user);
        using var again = await Reader.Open(Node, await Node.UserKey(user), $"/v1/events?stream=user:{user}&from={epoch}:0", last);
        Assert.Equal("subscribed", (await again.Next()).Type);
        Assert.Equal($"{epoch}:3", (await again.Next()).Id);
        await new StreamWriter(Node).Write(user);
        Assert.Equal($"{epoch}:4", (await again.Next()).Id);
    }

    [Fact]
    public async Task A_user_personas_stream_is_its_owners_and_while_it_is_public_everybodys()
    {
        var (ada, bob) = (await room.Service.Register("Ada"), await room.Service.Register("Bob"));
        var asAda = ("X-Persona-User", ada.ToString());
        var id = (await room.Service.Post("/v1/user-personas", new { name = "Tutor", systemPrompt = "You teach." }, asAda)).Should(HttpStatusCode.Created).Id;
        var path = $"/v1/events?stream=user-persona:{id}&from={Node.Database.Epoch}:0";
        using var bobs = Node.Client(await Node.UserKey(bob));
        (await bobs.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");
        using var owner = await Reader.Open(Node, await Node.UserKey(ada), path);
        Assert.Equal("subscribed", (await owner.Next()).Type);
        Assert.Equal("user-persona.created", (await owner.Next()).Type);

        (await room.Service.Patch($"/v1/user-personas/{id}", new { isPublic = true }, asAda)).Should(HttpStatusCode.OK);
        var shared = await owner.Next();
        Assert.Equal(("user-persona.updated", true), (shared.Type, (bool)shared.Data["data"]!["changes"]!["isPublic"]!));
        using var other = await Reader.Open(Node, await Node.UserKey(bob), path);
        Assert.Equal("subscribed", (await other.Next()).Type);
        Assert.Equal("user-persona.created", (await other.Next()).Type);
        Assert.Equal("user-persona.updated", (await other.Next()).Type);

        (await bobs.Post($"/v1/user-personas/{id}/usage", new { tokens = 5 })).Should(HttpStatusCode.Created);
        Assert.Equal("user-persona.used", (await owner.Next()).Type);
        var used = await other.Next();
        Assert.Equal(("user-persona.used", 1), (used.Type, (int)used.Data["data"]!["changes"]!["usageCount"]!));
    }

    [Fact]
    public async Task A_cursor_that_cannot_be_served_is_an_event_with_the_state()
    {
        var user = await room.Service.Register("Reset");
        using var reader = await Reader.Open(Node, await Node.ServiceKey(), $"/v1/events?stream=user:{user}&from=0000000000000000:1");
        var reset = await reader.Next();
        Assert.Equal(("reset", $"{Node.Database.Epoch}:2"), (reset.Type, reset.Id));
        Assert.Equal("Reset", (string)reset.Data["state"]!["username"]!);
        await new StreamWriter(Node).Write(user);
        Assert.Equal($"{Node.Database.Epoch}:3", (await reader.Next()).Id);
    }

    [Theory]
    [InlineData("user:00000000-0000-0000-0000-000000000000", null, 404, "stream_not_found")]
    [InlineData("nothing", null, 404, "stream_not_found")]
    [InlineData(null, null, 400, "stream_required")]
    [InlineData("", null, 400, "stream_required")]
    [InlineData("user:x", "12", 400, "invalid_field")]
    public async Task What_cannot_be_is_a_problem(string? stream, string? from, int status, string code) =>
        (await room.Service.Get($"/v1/events?{(stream is null ? "" : $"stream={stream}&")}{(from is null ? "" : $"from={from}")}")).ShouldRefuse((HttpStatusCode)status, code);

    [Fact]
    public async Task A_connection_token_in_the_address_opens_the_stream_of_its_user_only()
    {
        var (user, other) = (await room.Service.Register("Browser"), await room.Service.Register("Other"));
        var token = (string)(await room.Service.Post("/v1/tokens", new { user })).Json["token"]!;
        using var reader = await Reader.Open(Node, null, $"/v1/events?stream=user:{user}&access_token={token}");
        Assert.Equal("subscribed", (await reader.Next()).Type);
        using var nobody = Node.Client();
        (await nobody.Get($"/v1/events?stream=user:{other}&access_token={token}")).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");
    }

    [Fact]
    public async Task Several_streams_come_over_one_connection_and_go_on_after_the_last_id()
    {
        var user = await room.Service.Register("Many");
        var persona = (string)(await room.Service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!;
        using var mine = Node.Client(await Node.UserKey(user));
        var path = $"/v1/events?stream=user:me&stream=companion:me&stream=persona:{persona}";
        string last;
        using (var reader = await Reader.Open(Node, await Node.UserKey(user), path))
        {
            var streams = new List<string>();
            for (var i = 0; i < 3; i++)
            {
                var told = await reader.Next();
                Assert.Equal("subscribed", told.Type);
                streams.Add((string)told.Data["stream"]!);
            }

            Assert.Equal([$"user:{user}", $"companion:{user}", $"persona:{persona}"], streams);
            (await mine.Put($"/v1/people/{user}/rhythm", new { stressLevel = 0.2 })).Should(HttpStatusCode.OK);
            Assert.Equal("rhythm_changed", (await reader.Next()).Type);
            (await mine.Patch($"/v1/users/{user}", new { timeZone = "Europe/Vienna" })).Should(HttpStatusCode.OK);
            var second = await reader.Next();
            Assert.Equal("user.updated", second.Type);
            last = second.Id;
        }

        (await mine.Patch($"/v1/personas/{persona}", new { content = "I sail." })).Should(HttpStatusCode.OK);
        (await mine.Put($"/v1/people/{user}/rhythm", new { stressLevel = 0.3 })).Should(HttpStatusCode.OK);
        using var again = await Reader.Open(Node, await Node.UserKey(user), path, last);
        var types = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            types.Add((await again.Next()).Type);
        }

        Assert.Equal(["persona.updated", "rhythm_changed", "subscribed", "subscribed", "subscribed"], types.Order());
        (await mine.Get(path + "&from=" + last.Split('~')[0])).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await mine.Get(path + $"&stream=user:{Guid.NewGuid()}")).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");
    }

    [Fact]
    public async Task A_stream_is_named_as_HTTP_names_things()
    {
        var subject = $"named-{Guid.NewGuid():N}";
        var user = await room.Service.Register("Named", subject);
        var slug = $"named-{Guid.NewGuid():N}"[..20];
        var personality = (await room.Service.Post("/v1/personalities", new { name = "N", slug, characterInfo = "", personalityTraits = "" }, ("X-Persona-User", $"{user}"))).Should(HttpStatusCode.Created).Id;
        var (own, admin) = (await Node.UserKey(user), await Node.AdminKey());
        var service = await Node.ServiceKey();
        (string Key, string Asked, string Is)[] names =
        [
            (own, "user:me", $"user:{user}"), (own, "companion:me", $"companion:{user}"), (service, $"user:test:{subject}", $"user:{user}"),
            (own, $"personality:{slug}", $"personality:{personality}"), (own, $"prompt:me:{slug}", $"prompt:{user}:{personality}"),
            (service, $"prompt:test:{subject}:{slug}", $"prompt:{user}:{personality}"), (own, "presence:user:me", $"presence:user:{user}"),
            (own, $"presence:personality:{slug}", $"presence:personality:{personality}"),
            (admin, "tenant", $"tenant:{Node.Demo}"), (admin, "tenant:", $"tenant:{Node.Demo}"), (own, "catalogue:", $"catalogue:{Node.Demo}"), (own, "catalogue:tenant", $"catalogue:{Node.Demo}"),
        ];
        foreach (var (key, asked, name) in names)
        {
            using var reader = await Reader.Open(Node, key, $"/v1/events?stream={asked}");
            Assert.Equal(name, (string)(await reader.Next()).Data["stream"]!);
        }
    }

    internal sealed record ServerSent(string Type, string Id, JsonObject Data);

    internal sealed class Reader(HttpClient http, StreamReader lines) : IDisposable
    {
        public static async Task<Reader> Open(Node node, string? key, string path, string? lastEventId = null)
        {
            var http = new HttpClient { BaseAddress = node.Address };
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (key is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            }

            if (lastEventId is not null)
            {
                request.Headers.Add("Last-Event-ID", lastEventId);
            }

            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            return new Reader(http, new StreamReader(await response.Content.ReadAsStreamAsync()));
        }

        public async Task<ServerSent> Next()
        {
            var (type, id, data) = ("", "", "");
            while (await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) is { } line)
            {
                if (line.Length == 0 && data.Length > 0)
                {
                    return new ServerSent(type, id, JsonNode.Parse(data) as JsonObject ?? new JsonObject { ["value"] = JsonNode.Parse(data) });
                }

                type = line.StartsWith("event: ", StringComparison.Ordinal) ? line[7..] : type;
                id = line.StartsWith("id: ", StringComparison.Ordinal) ? line[4..] : id;
                data = line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : data;
            }

            throw new InvalidOperationException("the stream ended");
        }

        public void Dispose()
        {
            lines.Dispose();
            http.Dispose();
        }
    }
}
