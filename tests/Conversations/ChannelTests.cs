using PersonaActors.Contracts.Conversations;
using PersonaActors.Tests.Prompts;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Conversations;

/// <summary>Channels over HTTP: who is in them, what is said, and how it is told.</summary>
public sealed class ChannelTests(Room room) : IClassFixture<Room>
{
    private static string NewChannel() => $"c-{Guid.NewGuid():N}";

    private static (string, string) As(Person person) => ("X-Persona-User", person.Id.ToString());

    private static string[] Said(ApiAnswer window) => [.. window.Should(HttpStatusCode.OK).Json["items"]!.AsArray().Select(message => (string)message!["content"]!)];

    [Fact]
    public async Task What_is_said_is_read_in_its_order_and_told()
    {
        var ada = await room.NewPerson("Ada");
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}/messages";
        (await ada.Client.Post(path, new { role = "user", content = "Is anybody there?" })).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        var first = (await room.Service.Post(path, new { role = "user", content = "Good evening", clientId = "m1" }, As(ada))).Should(HttpStatusCode.Created);
        Assert.Equal(1, (long)first.Json["number"]!);
        Assert.Equal("Ada", (string?)first.Json["speaker"]);
        Assert.Equal(2, (int)first.Json["tokens"]!);
        using var reader = await EventStreamTests.Reader.Open(room.Node, await room.Node.UserKey(ada.Id), $"/v1/events?stream=channel:{channel}&from={room.Node.Database.Epoch}:0");
        Assert.Equal("subscribed", (await reader.Next()).Type);
        Assert.Equal("member.added", (await reader.Next()).Type);
        Assert.Equal("message.appended", (await reader.Next()).Type);
        (await ada.Client.Post(path, new { role = "user", content = "How are you?" })).Should(HttpStatusCode.Created);
        (await room.Service.Post(path, new { role = "assistant", content = "Well, thank you.", user = ada.Id, replyTo = "m1" })).Should(HttpStatusCode.Created);
        Assert.Equal("How are you?", (string)(await reader.Next()).Data["data"]!["message"]!["content"]!);
        var told = await reader.Next();
        Assert.Equal(("message.appended", 3), (told.Type, (long)told.Data["data"]!["changes"]!["lastNumber"]!));

        string[] all = ["Good evening", "How are you?", "Well, thank you."];
        var window = await ada.Client.Get($"{path}?last=10");
        Assert.Equal(all, Said(window));
        Assert.Equal((long)told.Data["seq"]!, (long)window.Json["cursor"]!["seq"]!);
        Assert.Equal(all.Reverse(), Said(await ada.Client.Get(path)));
        var page = await ada.Client.Get($"{path}?limit=2");
        Assert.Equal(all[1..].Reverse(), Said(page));
        Assert.Equal(all[..1], Said(await ada.Client.Get($"{path}?limit=2&after={page.Json["next"]}")));
        Assert.Equal(all[2..], Said(await room.Service.Get($"{path}?last=1")));
    }

    [Fact]
    public async Task The_senders_own_id_is_said_once_whoever_sends_it_and_however_late()
    {
        var ada = await room.NewPerson("Ada");
        var path = $"/v1/channels/{NewChannel()}/messages";
        var first = (await room.Service.Post(path, new { role = "user", content = "Good evening", clientId = "m1" }, As(ada))).Should(HttpStatusCode.Created);
        var again = (await ada.Client.Post(path, new { role = "user", content = "Good evening", clientId = "m1" })).Should(HttpStatusCode.OK);
        Assert.Equal((long)first.Json["number"]!, (long)again.Json["number"]!);
        for (var i = 0; i < 260; i++)
        {
            (await room.Service.Post(path, new { role = "assistant", content = $"{i}", user = ada.Id })).Should(HttpStatusCode.Created);
        }

        // Longer ago than the live window reaches.
        Assert.Equal(1, (long)(await ada.Client.Post(path, new { role = "user", content = "Good evening", clientId = "m1" })).Should(HttpStatusCode.OK).Json["number"]!);
        Assert.Equal(262, (long)(await ada.Client.Post(path, new { role = "user", content = "Next" })).Should(HttpStatusCode.Created).Json["number"]!);
        (await ada.Client.Delete($"{path}/m1")).Should(HttpStatusCode.NoContent);
        (await ada.Client.Post(path, new { role = "user", content = "Good evening", clientId = "m1" })).ShouldRefuse(HttpStatusCode.Gone, "message_deleted");
        var all = await Numbers(ada.Client, path);
        Assert.Equal(Enumerable.Range(2, 261).Select(number => (long)number).Reverse(), all);
        Assert.Equal(all.Take(100).Reverse(), (await ada.Client.Get($"{path}?last=100")).Json["items"]!.AsArray().Select(message => (long)message!["number"]!));
    }

    private static async Task<List<long>> Numbers(ApiClient client, string path)
    {
        var numbers = new List<long>();
        for (string? after = null; ;)
        {
            var page = (await client.Get($"{path}?limit=200{(after is null ? "" : $"&after={after}")}")).Should(HttpStatusCode.OK).Json;
            numbers.AddRange(page["items"]!.AsArray().Select(message => (long)message!["number"]!));
            if ((after = (string?)page["next"]) is null)
            {
                return numbers;
            }
        }
    }

    [Fact]
    public async Task What_was_said_is_changed_and_deleted_by_whose_it_is()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}/messages";
        foreach (var (person, id) in ((Person, string)[])[(ada, "a"), (ben, "b")])
        {
            (await room.Service.Post(path, new { role = "user", content = $"I am {id}", clientId = id }, As(person))).Should(HttpStatusCode.Created);
        }

        (await room.Service.Post(path, new { role = "assistant", content = "Hello, Ada", clientId = "r", user = ada.Id })).Should(HttpStatusCode.Created);
        var edited = (await ada.Client.Patch($"{path}/a", new { content = "I am Ada, really" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(("I am Ada, really", 5, true), ((string)edited["content"]!, (int)edited["tokens"]!, edited["editedAt"] is not null));
        (await ada.Client.Patch($"{path}/b", new { content = "x" })).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        (await ada.Client.Delete($"{path}/r")).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await ada.Client.Patch($"{path}/a", new { content = " " })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await ada.Client.Patch($"{path}/none", new { content = "x" })).ShouldRefuse(HttpStatusCode.NotFound, "message_not_found");
        (await room.Service.Delete($"{path}/r", As(ada))).Should(HttpStatusCode.NoContent);
        (await room.Service.Patch($"{path}/b", new { content = "I am Ben" })).Should(HttpStatusCode.OK);
        string[] left = ["I am Ada, really", "I am Ben"];
        Assert.Equal(left, Said(await ben.Client.Get($"{path}?last=10")));
        Assert.Equal(left.Reverse(), Said(await ben.Client.Get(path)));
        Assert.Equal(0L, await Sql.Ask<long>(room.Database.Superuser, "SELECT count(*) FROM conversation_history WHERE content = 'Hello, Ada'"));
        Assert.Equal([ChannelEvents.MemberAdded, ChannelEvents.Appended, ChannelEvents.MemberAdded, ChannelEvents.Appended, ChannelEvents.Appended, ChannelEvents.Edited, ChannelEvents.Deleted, ChannelEvents.Edited],
            (await room.Events($"channel:{channel}")).Select(e => e.Type));
    }

    [Fact]
    public async Task Whoever_isnt_in_a_channel_finds_none()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}";
        (await room.Service.Put($"{path}/members/{ada.Id}", null)).Should(HttpStatusCode.OK);
        (await ada.Client.Post($"{path}/messages", new { role = "user", content = "hello" })).Should(HttpStatusCode.Created);
        (await ada.Client.Post($"{path}/messages", new { role = "assistant", content = "I am the character" })).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await ada.Client.Put($"{path}/members/{ben.Id}", null)).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        foreach (var get in (string[])["", "/members", "/active", "/messages", "/messages?last=5"])
        {
            (await ben.Client.Get(path + get)).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
            (await room.Service.Get(path + get, As(ben))).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        }

        (await ben.Client.Put($"{path}/members/{ben.Id}", null)).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        (await ben.Client.Patch($"{path}/settings", new { maxMessages = 3 })).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        (await ben.Client.Delete($"{path}/messages")).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        (await ben.Client.Get($"/v1/events?stream=channel:{channel}")).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");

        (await room.Service.Post($"{path}/messages", new { role = "user", content = "me too" }, As(ben))).Should(HttpStatusCode.Created);
        Assert.Equal(new[] { ada.Id, ben.Id }.Order(), (await ben.Client.Get($"{path}/members")).Json["items"]!.AsArray().Select(member => (Guid)member!["userId"]!).Order());
        using var reader = await EventStreamTests.Reader.Open(room.Node, await room.Node.UserKey(ben.Id), $"/v1/events?stream=channel:{channel}");
        Assert.Equal("subscribed", (await reader.Next()).Type);
        (await ada.Client.Delete($"{path}/members/{ben.Id}")).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await room.Service.Delete($"{path}/members/{ben.Id}")).Should(HttpStatusCode.NoContent);
        Assert.Equal("member.removed", (await reader.Next()).Type);
        Assert.Equal("revoked", (await reader.Next()).Type);
        (await ben.Client.Get($"{path}/messages")).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        (await ada.Client.Delete($"{path}/members/me")).Should(HttpStatusCode.NoContent);
        (await ada.Client.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
    }

    [Fact]
    public async Task A_part_of_the_history_is_cleared_restored_once_or_purged()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var (lila, slug) = await ada.NewPersonality(isPublic: true);
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}/messages";
        async Task Say(Person person, string content, string? personality) =>
            (await room.Service.Post(path, new { role = "user", content, personality }, As(person))).Should(HttpStatusCode.Created);
        await Say(ada, "a1", slug);
        await Say(ben, "b1", slug);
        await Say(ada, "a2", null);
        (await ada.Client.Delete($"{path}?user={ben.Id}")).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        (await ada.Client.Post($"{path}:restore", null)).ShouldRefuse(HttpStatusCode.NotFound, "clear_not_found");
        var cleared = (await ada.Client.Delete($"{path}?personality={slug}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal((ada.Id, lila, 3L), ((Guid)cleared["userId"]!, (Guid)cleared["personalityId"]!, (long)cleared["upTo"]!));
        await All("b1", "a2");
        (await ada.Client.Post($"{path}:restore?personality={slug}", null)).Should(HttpStatusCode.OK);
        await All("a1", "b1", "a2");
        (await ada.Client.Post($"{path}:restore?personality={slug}", null)).ShouldRefuse(HttpStatusCode.NotFound, "clear_not_found");

        (await ada.Client.Delete(path)).Should(HttpStatusCode.OK);
        await Say(ada, "a3", null);
        (await ada.Client.Delete(path)).Should(HttpStatusCode.OK);
        await All("b1");
        // One undo: the last.
        (await ada.Client.Post($"{path}:restore", null)).Should(HttpStatusCode.OK);
        await All("b1", "a3");
        (await ada.Client.Post($"{path}:restore", null)).ShouldRefuse(HttpStatusCode.NotFound, "clear_not_found");

        (await room.Service.Delete($"{path}?purge=true")).Should(HttpStatusCode.OK);
        await All();
        (await room.Service.Post($"{path}:restore", null)).ShouldRefuse(HttpStatusCode.NotFound, "clear_not_found");
        await Eventually.True("neither rows nor events say anything of it", async () => await Sql.Ask<long>(room.Database.Superuser,
            $"SELECT (SELECT count(*) FROM conversation_history WHERE channel_id = '{channel}') + (SELECT count(*) FROM events WHERE stream = 'channel:{channel}' AND type = 'message.appended')") == 0);
        await Say(ada, "a4", null);
        await All("a4");

        async Task All(params string[] contents)
        {
            Assert.Equal(contents, Said(await ben.Client.Get($"{path}?last=10")));
            Assert.Equal(contents.Reverse(), Said(await ben.Client.Get(path)));
        }
    }

    [Fact]
    public async Task Personalities_answer_in_their_order_and_one_that_may_no_longer_be_used_is_skipped_and_told_once()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}";
        var (first, _) = await ben.NewPersonality(isPublic: true);
        var (second, slug) = await ada.NewPersonality();
        (await room.Service.Put($"{path}/members/{ada.Id}", null)).Should(HttpStatusCode.OK);
        (await room.Service.Put($"{path}/members/{ben.Id}", null)).Should(HttpStatusCode.OK);
        (await ada.Client.Put($"{path}/active/{first}", new { autoRespond = false })).Should(HttpStatusCode.OK);
        (await ben.Client.Put($"{path}/active/{second}", new { })).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await ada.Client.Put($"{path}/active/{slug}", new { place = 0 })).Should(HttpStatusCode.OK);
        (await ada.Client.Put($"{path}/active/{first}", new { place = 7 })).Should(HttpStatusCode.OK);
        Assert.Equal([(second, true), (first, false)], await Active());

        (await ben.Client.Patch($"/v1/personalities/{first}", new { isPublic = false })).Should(HttpStatusCode.OK);
        Assert.Equal([(second, true)], await Active());
        Assert.Equal([(second, true)], await Active());
        (await ben.Client.Put($"/v1/personalities/{first}/owners/{ada.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        Assert.Equal([(second, true), (first, false)], await Active());
        (await ada.Client.Delete($"{path}/active/{second}")).Should(HttpStatusCode.NoContent);
        (await ada.Client.Delete($"{path}/active/{second}")).ShouldRefuse(HttpStatusCode.NotFound, "activation_not_found");
        Assert.Equal([(first, false)], await Active());
        Assert.Equal(
            ["personality.activated", "personality.activated", "personality.activated", "personality.skipped", "personality.activated", "personality.deactivated"],
            (await room.Events($"channel:{channel}")).Select(e => e.Type).Where(type => type.StartsWith("personality", StringComparison.Ordinal)));

        async Task<(Guid, bool)[]> Active() => [.. (await ben.Client.Get($"{path}/active")).Should(HttpStatusCode.OK).Json["items"]!.AsArray()
            .Select(active => ((Guid)active!["personalityId"]!, (bool)active["autoRespond"]!))];
    }

    [Fact]
    public async Task State_and_what_is_told_after_it_are_the_state_later()
    {
        var ada = await room.NewPerson("Ada");
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}";
        (await room.Service.Patch($"{path}/settings", new { maxMessages = 9 })).Should(HttpStatusCode.OK);
        var read = await room.Service.Get(path);
        Assert.Equal(9, (int)read.Json["settings"]!["maxMessages"]!);
        (await room.Service.Post($"{path}/messages", new { role = "user", content = "hello" }, As(ada))).Should(HttpStatusCode.Created);
        (await ada.Client.Patch($"{path}/settings", new { maxMessages = "off", maxAge = 60 }, ("If-Match", "1"))).Should(HttpStatusCode.OK);
        (await ada.Client.Patch($"{path}/settings", new { maxMessages = 1 }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await ada.Client.Patch($"{path}/settings", new { maxMessages = 101 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Room.AssertSame((await ada.Client.Get(path)).Json, await room.Followed(read, $"channel:{channel}"));
    }

    [Fact]
    public async Task Fifty_who_write_at_once_and_repeat_themselves_are_read_and_heard_in_one_order()
    {
        const int writers = 50, each = 8;
        var people = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => room.NewPerson($"P{i}")));
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}";
        foreach (var person in people)
        {
            (await room.Service.Put($"{path}/members/{person.Id}", null)).Should(HttpStatusCode.OK);
        }

        var readers = new List<EventStreamTests.Reader>();
        foreach (var person in people)
        {
            var reader = await EventStreamTests.Reader.Open(room.Node, await room.Node.UserKey(person.Id), $"/v1/events?stream=channel:{channel}");
            readers.Add(reader);
            Assert.Equal("subscribed", (await reader.Next()).Type);
        }

        await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var i = 0; i < each; i++)
            {
                var body = new { role = "user", content = $"{writer}-{i}", clientId = $"{writer}-{i}" };
                // Whoever isn't sure says it again, at the same time.
                var answers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => people[writer % people.Length].Client.Post($"{path}/messages", body)));
                Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Created], answers.Select(answer => answer.Status).Order());
                Assert.Equal((long)answers[0].Json["number"]!, (long)answers[1].Json["number"]!);
            }
        }));
        var said = (await Numbers(people[0].Client, $"{path}/messages")).AsEnumerable().Reverse().ToList();
        Assert.Equal(Enumerable.Range(1, writers * each).Select(number => (long)number), said);
        var order = new List<string>();
        foreach (var reader in readers)
        {
            var heard = new List<string>();
            while (heard.Count < writers * each)
            {
                var told = await reader.Next();
                Assert.Equal(heard.Count + 1, (long)told.Data["data"]!["message"]!["number"]!);
                heard.Add((string)told.Data["data"]!["message"]!["content"]!);
            }

            order = order.Count == 0 ? heard : order;
            Assert.Equal(order, heard);
            reader.Dispose();
        }

        Assert.Equal(writers * each, order.Distinct().Count());
        // In each writer's own order, too.
        Assert.All(order.GroupBy(content => content.Split('-')[0]), own => Assert.Equal(Enumerable.Range(0, each).Select(i => $"{own.Key}-{i}"), own));
        Assert.Equal(order.TakeLast(100), Said(await people[1].Client.Get($"{path}/messages?last=100")));
    }

    [Fact]
    public async Task Who_listens_hears_who_types_and_nothing_is_kept_of_it()
    {
        var ada = await room.NewPerson("Ada");
        var (lila, _) = await ada.NewPersonality();
        var channel = NewChannel();
        (await room.Service.Put($"/v1/channels/{channel}/members/{ada.Id}", null)).Should(HttpStatusCode.OK);
        using var reader = await EventStreamTests.Reader.Open(room.Node, await room.Node.UserKey(ada.Id), $"/v1/events?stream=channel:{channel}");
        Assert.Equal("subscribed", (await reader.Next()).Type);
        (await ada.Client.Post($"/v1/channels/{channel}/typing", null)).Should(HttpStatusCode.NoContent);
        (await room.Service.Post($"/v1/channels/{channel}/typing", new { personality = lila })).Should(HttpStatusCode.NoContent);
        (await ada.Client.Post($"/v1/channels/{channel}/messages", new { role = "user", content = "hello" })).Should(HttpStatusCode.Created);
        var typing = await reader.Next();
        Assert.Equal(("typing", "", 0L, ada.Id), (typing.Type, typing.Id, (long)typing.Data["seq"]!, (Guid)typing.Data["data"]!["userId"]!));
        Assert.Equal(lila, (Guid)(await reader.Next()).Data["data"]!["personalityId"]!);
        Assert.Equal(("message.appended", $"{room.Node.Database.Epoch}:2"), (await reader.Next()) is var told ? (told.Type, told.Id) : default);
        Assert.Equal(["member.added", "message.appended"], (await room.Events($"channel:{channel}")).Select(e => e.Type));
        (await room.Service.Post($"/v1/channels/{channel}/typing", null)).ShouldRefuse(HttpStatusCode.BadRequest, "user_required");
        (await (await room.NewPerson()).Client.Post($"/v1/channels/{channel}/typing", null)).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
    }

    [Theory]
    [InlineData("""{"content":"x"}""", "role")]
    [InlineData("""{"role":"user","content":""}""", "content")]
    [InlineData("""{"role":"user","content":"x","clientId":""}""", "clientId")]
    [InlineData("""{"role":"user","content":"x","personality":"nobody"}""", null)]
    [InlineData("""{"role":"user","content":"x","persona":"00000000-0000-0000-0000-000000000001"}""", null)]
    [InlineData("""{"role":"narrator","content":"x"}""", "role")]
    [InlineData("""{"role":"user","content":"x","more":1}""", "more")]
    public async Task What_isnt_taken_changes_nothing(string body, string? field)
    {
        var ada = await room.NewPerson("Ada");
        var path = $"/v1/channels/{NewChannel()}";
        var answer = await room.Service.Send(HttpMethod.Post, $"{path}/messages", body, As(ada));
        Assert.Equal(field is null ? HttpStatusCode.NotFound : HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(field, (string?)answer.Json["field"]);
        (await room.Service.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        (await room.Service.Post($"{path}/messages", new { role = "user", content = new string('x', 32_001) }, As(ada))).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await room.Service.Post($"/v1/channels/{new string('c', 129)}/messages", new { role = "user", content = "x" }, As(ada))).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }
}
