using System.Text.Json.Nodes;
using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Gateway;

/// <summary>A connection that has shown its key takes the short way to prompts and windows, a parameter more the long one: nobody may see which.</summary>
public sealed class LaneTests(Room room) : IClassFixture<Room>
{
    private const string LongWay = "&explain=false";

    [Fact]
    public async Task Both_ways_give_the_same_answer_whoever_asks_for_whatever()
    {
        var ana = await room.NewPerson("Ana");
        var bob = await room.NewPerson("Bob");
        var (open, openSlug) = await ana.NewPersonality("Knows {{user}}.", isPublic: true);
        var (hidden, _) = await ana.NewPersonality("Knows nobody.");
        var (gone, goneSlug) = await ana.NewPersonality("Was here.", isPublic: true);
        await room.Service.Prompt(goneSlug, $"?user={ana.Id}");
        (await ana.Client.Delete($"/v1/personalities/{gone}")).Should(HttpStatusCode.NoContent);
        var (other, stranger) = await room.NewTenant();
        string[] personalities = [$"{open}", $"{open:N}", openSlug, openSlug.ToUpperInvariant(), $"{hidden}", $"{gone}", goneSlug, $"{Guid.NewGuid()}", "nobody", "%7B", $"{open}/"];
        string[] users = [$"{ana.Id}", $"{bob.Id}", $"{ana.Id:N}", $"{Guid.NewGuid()}", "discord:1", ""];
        (string, string)[][] headers =
        [
            [], [("X-Persona-User", $"{bob.Id}")], [("X-Persona-Tenant", $"{other}")], [("Origin", "https://example.org")], [("If-None-Match", "*")], [("If-None-Match", "\"old\"")],
        ];
        var statuses = new HashSet<HttpStatusCode>();
        foreach (var client in (ApiClient[])[room.Service, room.Admin, room.Operator, ana.Client, stranger])
        {
            foreach (var personality in personalities)
            {
                foreach (var user in users)
                {
                    // What headers say is the same whatever the personality's name looks like.
                    foreach (var with in personality == $"{open}" || personality == $"{hidden}" || personality == goneSlug ? headers : [[]])
                    {
                        var path = $"/v1/personalities/{personality}/prompt?user={user}";
                        var (shortly, atLength) = (await client.Get(path, with), await client.Get(path + LongWay, with));
                        AssertSame($"{path} {string.Join(' ', with)}", atLength, shortly);
                        statuses.Add(shortly.Status);
                    }
                }
            }
        }

        Assert.All((HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NotModified, HttpStatusCode.BadRequest, HttpStatusCode.Forbidden, HttpStatusCode.NotFound], status => Assert.Contains(status, statuses));
        stranger.Dispose();
    }

    [Fact]
    public async Task Both_ways_read_the_same_of_whatever_channel()
    {
        var ana = await room.NewPerson("Ana");
        var bob = await room.NewPerson("Bob");
        var (lila, _) = await ana.NewPersonality("Knows {{user}}.", isPublic: true);
        var channel = $"c-{Guid.NewGuid():N}";
        string[] channels = [channel, $"{channel} of two", $"{channel}é", $"{channel}-unknown", new string('c', 300)];
        foreach (var known in channels[..3])
        {
            (await ana.Client.Post($"/v1/channels/{Uri.EscapeDataString(known)}/messages", new { role = "user", content = "Good \"evening\"." })).Should(HttpStatusCode.NotFound);
            foreach (var said in (string[])["Good \"evening\".", "I went\nto sea.", "Ahoj, Welt: äöü"])
            {
                (await room.Service.Post($"/v1/channels/{Uri.EscapeDataString(known)}/messages", new { user = ana.Id, role = "user", content = said })).Should(HttpStatusCode.Created);
            }
        }

        var (other, stranger) = await room.NewTenant();
        (string, string)[][] headers = [[], [("X-Persona-User", $"{bob.Id}")], [("X-Persona-User", $"{ana.Id}")], [("X-Persona-Tenant", $"{other}")], [("Origin", "https://example.org")]];
        var statuses = new HashSet<HttpStatusCode>();
        foreach (var client in (ApiClient[])[room.Service, room.Admin, room.Operator, ana.Client, bob.Client, stranger])
        {
            foreach (var named in channels.Select(Uri.EscapeDataString).Append("%63").Append(channel.Replace("c-", "%63-", StringComparison.Ordinal)))
            {
                foreach (var with in headers)
                {
                    foreach (var last in with.Length > 0 ? (string[])["2"] : ["1", "2", "200", "0", "201", "+1", "x", ""])
                    {
                        var path = $"/v1/channels/{named}/messages?last={last}";
                        var (shortly, atLength) = (await client.Get(path, with), await client.Get(path + "&limit=50", with));
                        AssertSame($"{path} {string.Join(' ', with)}", atLength, shortly);
                        statuses.Add(shortly.Status);
                    }

                    foreach (var user in (Guid[])[ana.Id, bob.Id])
                    {
                        var path = $"/v1/personalities/{lila}/prompt?user={user}&channel={named}";
                        var (shortly, atLength) = (await client.Get(path, with), await client.Get(path + LongWay, with));
                        AssertSame($"{path} {string.Join(' ', with)}", atLength, shortly);
                        statuses.Add(shortly.Status);
                    }
                }
            }
        }

        Assert.All((HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Forbidden, HttpStatusCode.NotFound], status => Assert.Contains(status, statuses));
        stranger.Dispose();
    }

    [Fact]
    public async Task What_is_said_is_read_by_the_next_request_on_the_same_connection()
    {
        var ana = await room.NewPerson("Ana");
        var channel = $"c-{Guid.NewGuid():N}";
        for (var number = 1; number <= 20; number++)
        {
            var said = (await room.Service.Post($"/v1/channels/{channel}/messages", new { user = ana.Id, role = "user", content = $"I said {number}." })).Should(HttpStatusCode.Created);
            var read = (await room.Service.Get($"/v1/channels/{channel}/messages?last=2")).Should(HttpStatusCode.OK);
            var message = said.Json;
            message.Remove("cursor");
            Assert.True(JsonNode.DeepEquals(message, read.Json["items"]!.AsArray()[^1]), read.Text);
            Assert.Equal($"{read.Json["cursor"]!["epoch"]}:{read.Json["cursor"]!["seq"]}", read.Headers.GetValues("Persona-Cursor").Single());
        }
    }

    [Fact]
    public async Task A_write_is_seen_by_the_next_request_on_the_same_connection_and_a_revoked_key_sees_nothing()
    {
        var ana = await room.NewPerson("Ana");
        var (lila, _) = await ana.NewPersonality("Knows {{user}}.", isPublic: true);
        var made = (await room.Admin.Post("/v1/keys", new { kind = "service", name = "bot" })).Should(HttpStatusCode.Created);
        using var bot = room.Node.Client((string)made.Json["key"]!);
        var path = $"/v1/personalities/{lila}/prompt?user={ana.Id}";
        var persona = await ana.DefaultPersona();
        var before = (await bot.Get(path)).Should(HttpStatusCode.OK).Headers.ETag;
        for (var i = 0; i < 5; i++)
        {
            (await ana.Client.Patch($"/v1/personas/{persona}", new { content = $"I said {i}." })).Should(HttpStatusCode.OK);
            var answer = (await bot.Get(path, ("If-None-Match", $"{before}"))).Should(HttpStatusCode.OK);
            Assert.Contains($"I said {i}.", answer.Json.Text(), StringComparison.Ordinal);
            (await bot.Get(path, ("If-None-Match", $"{answer.Headers.ETag}"))).Should(HttpStatusCode.NotModified);
            before = answer.Headers.ETag;
        }

        (await room.Admin.Delete($"/v1/keys/{made.Id}")).Should(HttpStatusCode.NoContent);
        (await bot.Get(path)).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        (await bot.Get("/v1/channels/c/messages?last=1")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
    }

    [Fact]
    public async Task A_stranger_who_asks_by_the_same_ids_moves_nothing()
    {
        var ana = await room.NewPerson("Ana");
        var (personality, _) = await ana.NewPersonality("Knows {{user}}.", isPublic: true);
        var path = $"/v1/personalities/{personality}/prompt?user={ana.Id}";
        (await ana.Client.Post("/v1/focus/sessions", new { mode = "deep" })).Should(HttpStatusCode.Created);
        var (_, stranger) = await room.NewTenant();
        using (stranger)
        {
            (await stranger.Get($"/v1/people/{ana.Id}")).Should(HttpStatusCode.NotFound);
            (await stranger.Get($"/v1/personalities/{personality}")).Should(HttpStatusCode.NotFound);
            for (var i = 0; i < 3; i++)
            {
                (await stranger.Get(path)).Should(HttpStatusCode.NotFound);
                Assert.Contains("<current_state>", (await room.Service.Get(path)).Should(HttpStatusCode.OK).Json.Text(), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Of_many_at_once_each_gets_the_own_prompt()
    {
        var people = new List<Person>();
        for (var i = 0; i < 8; i++)
        {
            people.Add(await room.NewPerson($"Person {i}"));
            (await people[i].Client.Patch($"/v1/personas/{await people[i].DefaultPersona()}", new { content = string.Concat(Enumerable.Repeat($"I am {i}. ", 5 + 20 * i)) })).Should(HttpStatusCode.OK);
        }

        var speakers = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            speakers.Add((await people[0].NewPersonality(string.Concat(Enumerable.Repeat($"Knows {{{{user}}}} as {i}. ", 3 + 10 * i)), isPublic: true)).Id);
        }

        var paths = (from person in people from speaker in speakers select $"/v1/personalities/{speaker}/prompt?user={person.Id}").ToArray();
        var expected = new Dictionary<string, string>();
        foreach (var path in paths)
        {
            expected[path] = (await room.Service.Get(path + LongWay)).Should(HttpStatusCode.OK).Text;
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            using var client = room.Node.Client(await room.Node.ServiceKey());
            for (var i = 0; i < 400; i++)
            {
                var path = paths[random.Next(paths.Length)];
                Assert.Equal(expected[path], (await client.Get(path)).Should(HttpStatusCode.OK).Text);
            }
        })));
    }

    private static void AssertSame(string what, ApiAnswer expected, ApiAnswer actual)
    {
        Assert.True(expected.Status == actual.Status, $"{what}: {expected.Status} and {actual.Status}");
        Assert.True(Comparable(expected) == Comparable(actual), $"{what}: {Comparable(expected)}\nand {Comparable(actual)}");
    }

    /// <summary>Without what tells any two answers apart.</summary>
    private static string Comparable(ApiAnswer answer)
    {
        var headers = answer.Headers.Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {string.Join(',', header.Value)}");
        if (answer.Text.StartsWith('{') && JsonNode.Parse(answer.Text) is JsonObject json)
        {
            json.Remove("traceId");
            return $"{string.Join('\n', headers)}\n{json.ToJsonString()}";
        }

        return $"{string.Join('\n', headers)}\n{answer.Text}";
    }
}
