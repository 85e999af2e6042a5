using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Personalities;

/// <summary>A personality's stream belongs to those who see its inside, and leaves those who lose it.</summary>
public sealed class PersonalityStreamTests(PersonalityStreamTests.Listening listening) : IClassFixture<PersonalityStreamTests.Listening>
{
    private readonly Room _room = listening.Room;

    public sealed class Listening : IAsyncLifetime
    {
        public Room Room { get; } = new OwnRoom();

        public NodeClients Clients { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Room.InitializeAsync();
            Clients = await NodeClients.Start();
        }

        public async Task DisposeAsync()
        {
            await Clients.DisposeAsync();
            await Room.DisposeAsync();
        }
    }

    private async Task<(Person Owner, Person Guest, string Path, Guid Id)> NewPersonality(bool isPublic = false, bool definitionPublic = false)
    {
        var owner = await _room.NewPerson("owner");
        var guest = await _room.NewPerson("guest");
        var made = (await owner.Client.Post("/v1/personalities", new { name = "Lilith", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "", isPublic, definitionPublic }))
            .Should(HttpStatusCode.Created);
        return (owner, guest, $"/v1/personalities/{made.Id}", made.Id);
    }

    private async Task<NodeClient> Listen(Person person) => await listening.Clients.Raw(_room.Node.Address, await _room.Node.UserKey(person.Id));

    [Fact]
    public async Task Who_loses_a_personality_loses_its_stream()
    {
        var (owner, guest, path, id) = await NewPersonality();
        var stream = StreamName.Personality(id);
        var client = await Listen(guest);
        Assert.Equal("stream_not_found", (string?)(await client.Subscribe(stream))["refused"]!["code"]);
        (await owner.Client.Put($"{path}/owners/{guest.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        Assert.Null((await client.Subscribe(stream))["refused"]);
        (await owner.Client.Patch(path, new { tone = "kind" })).Should(HttpStatusCode.OK);
        Assert.Equal("kind", (string?)(await client.Event())["data"]!["changes"]!["tone"]);
        (await owner.Client.Delete($"{path}/owners/{guest.Id}")).Should(HttpStatusCode.NoContent);
        Assert.Equal(stream, (string?)await client.Next("revoked"));
        Assert.Equal("stream_not_found", (string?)(await client.Subscribe(stream))["refused"]!["code"]);
    }

    [Theory]
    [InlineData("isPublic")]
    [InlineData("definitionPublic")]
    public async Task A_personality_or_its_inside_made_private_leaves_all_without_a_role(string field)
    {
        var (owner, guest, path, id) = await NewPersonality(isPublic: true, definitionPublic: true);
        var client = await Listen(guest);
        Assert.Null((await client.Subscribe(StreamName.Personality(id)))["refused"]);
        (await owner.Client.Patch(path, $$"""{"{{field}}":false}""")).Should(HttpStatusCode.OK);
        Assert.Equal(StreamName.Personality(id), (string?)await client.Next("revoked"));
    }

    [Fact]
    public async Task Who_sees_the_card_of_a_public_personality_follows_the_card_and_who_is_there()
    {
        var (owner, guest, path, id) = await NewPersonality(isPublic: true);
        var (stream, read) = (StreamName.Personality(id), await guest.Client.Get(path));
        var (client, whole) = (await Listen(guest), await Listen(owner));
        Assert.Null((await whole.Subscribe(stream))["refused"]);
        Assert.Null((await client.Subscribe($"presence:{stream}"))["refused"]);
        var (epoch, seq) = ((string)read.Json["cursor"]!["epoch"]!, (long)read.Json["cursor"]!["seq"]!);
        var answer = await client.Subscribe(stream, epoch, seq);
        Assert.True(answer["refused"] is null && answer["reset"] is null, answer.ToJsonString());

        (await owner.Client.Patch(path, new { displayName = "Lila", tone = "secret", characterInfo = "secret", customFields = new { secret = "secret" } })).Should(HttpStatusCode.OK);
        (await owner.Client.Put($"{path}/owners/{(await _room.NewPerson()).Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        var state = read.Json;
        for (var next = seq + 1; next <= seq + 2;)
        {
            var e = await client.Event();
            if ((string)e["stream"]! == stream)
            {
                Assert.Equal((epoch, next++), ((string)e["epoch"]!, (long)e["seq"]!));
                Assert.DoesNotContain("secret", e.ToJsonString(), StringComparison.Ordinal);
                Room.Apply(state, e["data"]!["changes"]!.AsObject());
            }
        }

        Room.AssertSame((await guest.Client.Get(path)).Json, state);
        Assert.Equal("secret", (string)(await whole.Event())["data"]!["changes"]!["tone"]!);

        // The history too is that of the card; a cursor of the whole isn't gone on with.
        var again = await Listen(guest);
        Assert.Equal(seq + 2, (long)(await again.Subscribe(stream, epoch, 0))["seq"]!);
        Assert.DoesNotContain("secret", string.Concat((await again.EventsUntil(seq + 2)).Select(e => e.ToJsonString())), StringComparison.Ordinal);
        var reset = await again.Subscribe(stream, _room.Node.Database.Epoch, seq);
        Assert.True((bool)reset["reset"]!);
        Room.AssertSame((await guest.Client.Get(path)).Json, reset["state"]!.AsObject());
    }

    [Fact]
    public async Task Whoever_comes_to_see_more_or_less_of_a_personality_begins_anew()
    {
        var (owner, guest, path, id) = await NewPersonality(isPublic: true);
        var (stream, client) = (StreamName.Personality(id), await Listen(guest));
        var card = (string)(await client.Subscribe(stream))["epoch"]!;
        (await owner.Client.Patch(path, new { definitionPublic = true, tone = "kind" })).Should(HttpStatusCode.OK);
        Assert.Equal(stream, (string?)await client.Next("revoked"));
        var whole = await client.Subscribe(stream, card, 1);
        Assert.True((bool)whole["reset"]!);
        Assert.Equal("kind", (string)whole["state"]!["tone"]!);
        (await owner.Client.Patch(path, new { definitionPublic = false })).Should(HttpStatusCode.OK);
        Assert.Equal(stream, (string?)await client.Next("revoked"));
        Assert.Equal(card, (string)(await client.Subscribe(stream))["epoch"]!);
    }

    [Fact]
    public void What_the_card_leaves_out_is_what_its_events_leave_out()
    {
        var draft = JsonSerializer.Deserialize<PersonalityDraft>("""
            {"name":"x","slug":"xxx","systemPromptId":"565bdb63-124b-4692-a039-846fddceff90","avatarUrl":"u","characterInfo":"i","personalityTraits":"i","tone":"i","age":"i",
             "appearance":"i","likes":"i","dislikes":"i","conversationalGoals":"i","conversationalExamples":"i","errorMessage":"i","customFields":{"a":1},
             "voiceSettings":{"a":1},"imageSettings":{"a":1}}
            """, Wire.Json)!;
        var whole = draft.ToView(Guid.NewGuid(), "xxx", 20, [new PersonalityOwner(Guid.NewGuid(), PersonalityRole.Owner)], DateTimeOffset.UnixEpoch) with
        {
            DefaultLlmConfigId = Guid.NewGuid(),
            Settings = SettingsTier.FromStored("""{"maxMessages":5}"""),
        };
        Assert.Equal(
            PersonalityView.Inside.Order(),
            MergePatch.Difference(JsonSerializer.SerializeToNode(whole, Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(whole.WithoutDefinition(), Wire.Json)!.AsObject())
                .Select(member => member.Key).Order());
    }

    [Fact]
    public async Task A_cursor_the_log_cannot_serve_is_answered_with_what_GET_answers()
    {
        var (owner, _, path, id) = await NewPersonality();
        var answer = await (await Listen(owner)).Subscribe(StreamName.Personality(id), "0123456789abcdef", 1);
        Assert.True((bool)answer["reset"]!);
        Room.AssertSame((await owner.Client.Get(path)).Json, answer["state"]!.AsObject());
    }

    [Fact]
    public async Task Everybody_follows_the_catalogue_and_the_systems()
    {
        var (_, guest, _, _) = await NewPersonality();
        var client = await Listen(guest);
        Assert.Null((await client.Subscribe(_room.CatalogueStream))["refused"]);
        Assert.Null((await client.Subscribe("catalogue:system"))["refused"]);
        Assert.Equal("stream_not_found", (string?)(await client.Subscribe($"catalogue:{Guid.NewGuid()}"))["refused"]!["code"]);
        var made = (await _room.Operator.Post("/v1/focus-modes", new { modeName = $"m{Guid.NewGuid():N}", systemPrompt = "s", isSystem = true })).Should(HttpStatusCode.Created);
        var e = await client.Event();
        Assert.Equal(("catalogue:system", "focus-mode.created"), ((string)e["stream"]!, (string)e["type"]!));
        Assert.NotNull(e["data"]!["changes"]!["focusModes"]![made.Id.ToString()]);
    }

    [Fact]
    public async Task A_deleted_user_leaves_what_others_own_and_takes_along_what_was_its_alone()
    {
        var (owner, guest, path, id) = await NewPersonality();
        (await owner.Client.Put($"{path}/owners/{guest.Id}", new { role = "owner" })).Should(HttpStatusCode.OK);
        var alone = (await owner.Client.Post("/v1/personalities", new { name = "x", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
        var before = await guest.Client.Get(path);
        (await _room.Service.Delete($"/v1/users/{owner.Id}")).Should(HttpStatusCode.NoContent);
        var after = (await guest.Client.Get(path)).Should(HttpStatusCode.OK).Json;
        Assert.Equal(guest.Id.ToString(), (string?)Assert.Single(after["owners"]!.AsArray())!["userId"]);
        Room.AssertSame(after, await _room.Followed(before, StreamName.Personality(id)));
        (await guest.Client.Delete($"{path}/owners/{guest.Id}")).ShouldRefuse(HttpStatusCode.Conflict, "last_owner");
        (await _room.Admin.Get($"/v1/personalities/{alone.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
    }
}
