using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Realtime;

/// <summary>Whoever listens to something that ends, or that they may see no longer, is told that they have lost it.</summary>
public sealed class WithdrawalTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private Node Node => fixture.Node;

    [Fact]
    public async Task A_deleted_persona_leaves_whoever_listened_to_it_and_no_other()
    {
        var user = await fixture.Service.Register("Two faces");
        Task<ApiAnswer> Make(string name) => fixture.Service.Post($"/v1/personas?user={user}", new { name });
        var (work, home) = ((await Make("work")).Should(HttpStatusCode.Created).Id, (await Make("home")).Should(HttpStatusCode.Created).Id);
        NodeClient[] listening = [await fixture.Clients.Raw(Node.Address, await Node.ServiceKey()), await fixture.Clients.Raw(Node.Address, await Node.UserKey(user))];
        foreach (var client in listening)
        {
            Assert.Null((await client.Subscribe(StreamName.Persona(work)))["refused"]);
            Assert.Null((await client.Subscribe(StreamName.Persona(home)))["refused"]);
        }

        (await fixture.Service.Delete($"/v1/personas/{work}?user={user}")).Should(HttpStatusCode.NoContent);

        foreach (var client in listening)
        {
            Assert.Equal(StreamName.Persona(work), (string)(await client.Next("revoked"))!);
            Assert.Equal("stream_not_found", (string)(await client.Subscribe(StreamName.Persona(work)))["refused"]!["code"]!);
        }

        (await fixture.Service.Patch($"/v1/personas/{home}?user={user}", new { content = "I paint." })).Should(HttpStatusCode.OK);
        Assert.Equal(StreamName.Persona(home), (string)(await listening[0].Event())["stream"]!);
    }

    [Fact]
    public async Task With_a_deleted_user_goes_every_stream_of_theirs()
    {
        var (user, other) = (await fixture.Service.Register("Leaving"), await fixture.Service.Register("Staying"));
        var persona = (await fixture.Service.Post($"/v1/personas?user={user}", new { name = "work" })).Should(HttpStatusCode.Created).Id;
        var assistant = (await fixture.Service.Post($"/v1/user-personas?user={user}", new { name = "a", systemPrompt = "p", isPublic = true })).Should(HttpStatusCode.Created).Id;
        var session = (await fixture.Service.Post("/v1/focus/sessions", new { mode = "pomodoro" }, ("X-Persona-User", $"{user}"))).Should(HttpStatusCode.Created).Id;
        var character = (await fixture.Service.Post("/v1/personalities", new { name = "Lila", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "", isPublic = true }, ("X-Persona-User", $"{other}")))
            .Should(HttpStatusCode.Created).Id;
        string[] theirs =
        [
            StreamName.User(user), StreamName.Persona(persona), StreamName.UserPersona(assistant), StreamName.Session(session), StreamName.Companion(user),
            StreamName.Prompt(user, character), $"presence:user:{user}",
        ];
        string[] shown = [StreamName.UserPersona(assistant)];
        string[] kept = [StreamName.User(other), StreamName.Companion(other), StreamName.Prompt(other, character)];
        var client = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        var guest = await fixture.Clients.Raw(Node.Address, await Node.UserKey(other));
        foreach (var (listener, stream) in theirs.Concat(kept).Select(stream => (client, stream)).Concat(shown.Select(stream => (guest, stream))))
        {
            var answer = await listener.Subscribe(stream);
            Assert.True(answer["refused"] is null, answer.ToJsonString());
        }

        (await fixture.Service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);

        var revoked = new List<string>();
        while (revoked.Count < theirs.Length)
        {
            revoked.Add((string)(await client.Next("revoked"))!);
        }

        Assert.Equal(theirs.Order(), revoked.Order());
        Assert.Equal(shown[0], (string)(await guest.Next("revoked"))!);
        foreach (var stream in theirs)
        {
            var answer = await client.Subscribe(stream);
            Assert.True("stream_not_found" == (string?)answer["refused"]?["code"], $"{stream} is answered after its end: {answer.ToJsonString()}");
        }

        await fixture.Change(other, 1);
        Assert.Equal(StreamName.User(other), await Next(client, StreamName.User(other)));
    }

    /// <summary>The end of the user is itself an event, and may come first.</summary>
    private static async Task<string> Next(NodeClient client, string stream)
    {
        while (true)
        {
            if ((string)(await client.Event())["stream"]! is var got && got == stream)
            {
                return got;
            }
        }
    }

    [Fact]
    public async Task Who_loses_a_personality_loses_the_sight_of_who_is_there()
    {
        var (owner, guest) = (await fixture.Service.Register("Owner"), await fixture.Service.Register("Guest"));
        using var asOwner = Node.Client(await Node.UserKey(owner));
        var character = (await asOwner.Post("/v1/personalities", new { name = "Lila", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created).Id;
        (await asOwner.Put($"/v1/personalities/{character}/owners/{guest}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        var client = await fixture.Clients.Raw(Node.Address, await Node.UserKey(guest));
        var stream = $"presence:{StreamName.Personality(character)}";
        Assert.Null((await client.Subscribe(stream))["refused"]);

        (await asOwner.Delete($"/v1/personalities/{character}/owners/{guest}")).Should(HttpStatusCode.NoContent);

        Assert.Equal(stream, (string)(await client.Next("revoked"))!);
        Assert.Equal("stream_not_found", (string)(await client.Subscribe(stream))["refused"]!["code"]!);
    }
}
