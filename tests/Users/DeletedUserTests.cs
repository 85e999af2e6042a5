using PersonaActors.Contracts.Events;
using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Users;

/// <summary>What a deleted user leaves: nothing of theirs, from memory or from the log, and others' characters without their name.</summary>
[Long]
public sealed class DeletedUserTests(Room room) : IClassFixture<Room>
{
    private static async Task<Guid> Make(Person owner, string info) => (await owner.Client.Post("/v1/personalities", new
    {
        name = "Lila",
        slug = $"p{Guid.NewGuid():N}"[..20],
        characterInfo = info,
        personalityTraits = "",
    })).Should(HttpStatusCode.Created).Id;

    [Fact]
    public async Task Nothing_of_a_deleted_person_is_answered_and_who_comes_after_them_finds_nothing_of_them()
    {
        var ada = await room.NewPerson("Ada");
        (await ada.Client.Put($"/v1/people/{ada.Id}/rhythm", new { bodyEnergy = 0.25, emotionTone = "hers" })).Should(HttpStatusCode.OK);
        var task = (await ada.Client.Post($"/v1/people/{ada.Id}/tasks", new { title = "hers" })).Should(HttpStatusCode.Created).Id;
        var session = (await ada.Client.Post("/v1/focus/sessions", new { mode = "deep" })).Should(HttpStatusCode.Created).Id;
        var (_, slug) = await (await room.NewPerson("Ben")).NewPersonality(isPublic: true);
        var prompt = $"/v1/personalities/{slug}/prompt?user={ada.Id}";
        Assert.Contains("<focus_session>", (await room.Service.Get(prompt)).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        var token = (string)(await room.Service.Post("/v1/tokens", new { user = ada.Id, audience = "api" })).Should(HttpStatusCode.Created).Json["token"]!;
        using var browser = room.Node.Client(token);
        (await browser.Get($"/v1/people/{ada.Id}")).Should(HttpStatusCode.OK);

        (await room.Service.Delete($"/v1/users/{ada.Id}")).Should(HttpStatusCode.NoContent);

        (await browser.Get($"/v1/people/{ada.Id}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        (await browser.Get($"/v1/events?stream=user:{ada.Id}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        foreach (var path in (string[])["", "/rhythm", "/tasks", $"/tasks/{task}", "/memories", "/focus/stats", "/focus/streak", "/focus/export"])
        {
            (await room.Service.Get($"/v1/people/{ada.Id}{path}")).Should(HttpStatusCode.NotFound);
        }

        (await room.Service.Get($"/v1/focus/sessions?user={ada.Id}")).Should(HttpStatusCode.NotFound);
        // The same id, registered on first use: somebody else.
        (await room.Service.Put($"/v1/mindscapes/{ada.Id}/learning", new { paused = true })).Should(HttpStatusCode.OK);
        Assert.DoesNotContain("hers", (await room.Service.Get($"/v1/people/{ada.Id}")).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        (await room.Service.Post($"/v1/people/{ada.Id}/tasks", new { title = "new" })).Should(HttpStatusCode.Created);
        Assert.DoesNotContain("<focus_session>", (await room.Service.Get(prompt)).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
        (await room.Service.Get($"/v1/focus/sessions/{session}")).ShouldRefuse(HttpStatusCode.NotFound, "session_not_found");
        (await room.Service.Get($"/v1/focus/sessions/{session}", ("X-Persona-User", ada.Id.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "session_not_found");
        (await room.Service.Post($"/v1/focus/sessions/{session}/end", null, ("X-Persona-User", ada.Id.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "session_not_found");
    }

    [Fact]
    public async Task A_character_lives_on_with_an_editor_and_without_goes_from_the_log_with_its_user()
    {
        var (ada, ben, guest) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"), await room.NewPerson("guest"));
        var alone = await Make(ada, "hers alone");
        (await ada.Client.Put($"/v1/personalities/{alone}/owners/{guest.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        var edited = await Make(ada, "with an editor");
        (await ada.Client.Put($"/v1/personalities/{edited}/owners/{ben.Id}", new { role = "editor" })).Should(HttpStatusCode.OK);
        var left = await Make(ben, "his");
        (await ben.Client.Put($"/v1/personalities/{left}/owners/{ada.Id}", new { role = "editor" })).Should(HttpStatusCode.OK);
        (await ben.Client.Delete($"/v1/personalities/{left}/owners/{ada.Id}")).Should(HttpStatusCode.NoContent);
        (await room.Admin.Post("/v1/keys", new { kind = "user", name = "hers", user = ada.Id })).Should(HttpStatusCode.Created);

        (await room.Service.Delete($"/v1/users/{ada.Id}")).Should(HttpStatusCode.NoContent);

        (await guest.Client.Get($"/v1/personalities/{alone}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await room.Admin.Get($"/v1/personalities/{alone}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        var lives = (await ben.Client.Get($"/v1/personalities/{edited}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal((ben.Id.ToString(), "editor"), ((string)Assert.Single(lives["owners"]!.AsArray())!["userId"]!, (string)lives["owners"]![0]!["role"]!));
        (await ben.Client.Put($"/v1/personalities/{edited}/owners/{ben.Id}", new { role = "owner" })).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await room.Admin.Put($"/v1/personalities/{edited}/owners/{ben.Id}", new { role = "owner" })).Should(HttpStatusCode.OK);
        (await ben.Client.Patch($"/v1/personalities/{edited}", new { isPublic = true })).Should(HttpStatusCode.OK);

        await Eventually.True("no event tells of the deleted user or of what was theirs alone", async () => await Sql.Ask<long>(room.Database.Superuser,
            $"SELECT count(*) FROM events WHERE strpos(data::text, '{ada.Id}') > 0 OR strpos(data::text, 'hers alone') > 0 OR stream LIKE '%{ada.Id}'") == 0);
        Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM streams WHERE stream = '{StreamName.Personality(alone)}' OR owner_id = '{ada.Id}'"));
        // What is left is followed as ever.
        var before = await ben.Client.Get($"/v1/personalities/{left}");
        (await ben.Client.Patch($"/v1/personalities/{left}", new { tone = "dry" })).Should(HttpStatusCode.OK);
        Room.AssertSame((await ben.Client.Get($"/v1/personalities/{left}")).Json, await room.Followed(before, StreamName.Personality(left)));
    }

    [Fact]
    public async Task What_a_deleted_person_said_goes_from_channels_and_from_their_streams()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var channel = $"c-{Guid.NewGuid():N}";
        var path = $"/v1/channels/{channel}";
        async Task Say(string role, string content, Person person) =>
            (await room.Service.Post($"{path}/messages", new { role, content, user = person.Id })).Should(HttpStatusCode.Created);
        await Say("user", "words of hers", ada);
        await Say("assistant", "an answer to hers", ada);
        await Say("user", "words of his", ben);
        (await room.Service.Put($"{path}/active/{await Make(ada, "hers")}", new { }, ("X-Persona-User", ada.Id.ToString()))).Should(HttpStatusCode.OK);
        Assert.Equal(3, (await ben.Client.Get($"{path}/messages?last=5")).Json["items"]!.AsArray().Count);

        (await room.Service.Delete($"/v1/users/{ada.Id}")).Should(HttpStatusCode.NoContent);

        foreach (var query in (string[])["/messages?last=5", "/messages"])
        {
            var left = (await ben.Client.Get(path + query)).Should(HttpStatusCode.OK);
            Assert.Equal("words of his", (string)Assert.Single(left.Json["items"]!.AsArray())!["content"]!);
        }

        Assert.Equal(ben.Id, (Guid)Assert.Single((await ben.Client.Get($"{path}/members")).Json["items"]!.AsArray())!["userId"]!);
        await Eventually.True("no row, event or answer tells of her", async () => await Sql.Ask<long>(room.Database.Superuser, $"""
            SELECT (SELECT count(*) FROM events WHERE strpos(data::text, '{ada.Id}') > 0 OR strpos(data::text, 'hers') > 0 AND stream = 'channel:{channel}')
              + (SELECT count(*) FROM conversation_history WHERE user_id = '{ada.Id}' OR strpos(content, 'hers') > 0 AND channel_id = '{channel}')
              + (SELECT count(*) FROM activated_channels WHERE activated_by = '{ada.Id}')
              + (SELECT count(*) FROM command_log WHERE strpos(answer::text, '{ada.Id}') > 0)
            """) == 0);
        // Who listened goes on.
        await Say("user", "more of his", ben);
        Assert.Equal("message.appended", (await room.Events($"channel:{channel}"))[^1].Type);
    }
}
