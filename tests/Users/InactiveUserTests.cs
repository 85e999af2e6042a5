using PersonaActors.Contracts.Events;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Users;

/// <summary>Who isn't active does nothing and has nothing done for them, until they are again.</summary>
public sealed class InactiveUserTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private Node Node => fixture.Node;

    [Fact]
    public async Task Keys_tokens_prompts_and_commands_of_an_inactive_user_are_refused_until_they_are_active_again()
    {
        var user = await fixture.Service.Register("Ada");
        var asAda = ("X-Persona-User", user.ToString());
        var character = (await fixture.Service.Post("/v1/personalities", new { name = "Lila", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" }, asAda)).Should(HttpStatusCode.Created).Id;
        var persona = (Guid)(await fixture.Service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!;
        var session = (await fixture.Service.Post("/v1/focus/sessions", new { mode = "deep" }, asAda)).Should(HttpStatusCode.Created).Id;
        using var key = Node.Client(await Node.UserKey(user));
        using var token = Node.Client((string)(await fixture.Service.Post("/v1/tokens", new { user, audience = "api" })).Should(HttpStatusCode.Created).Json["token"]!);
        var calls = new Func<Task<ApiAnswer>>[]
        {
            () => key.Get($"/v1/users/{user}"),
            () => token.Get($"/v1/users/{user}"),
            () => key.Get($"/v1/events?stream=user:x"),
            () => key.Get($"/v1/personalities/{character}/prompt"),
            () => fixture.Service.Get($"/v1/personalities/{character}/prompt?user={user}"),
            // Once more: the short way, which a connection's second request may take.
            () => fixture.Service.Get($"/v1/personalities/{character}/prompt?user={user}"),
            () => fixture.Service.Post($"/v1/personalities/{character}/prompt?user={user}", new { message = "Hello" }),
            () => fixture.Service.Patch($"/v1/personalities/{character}", new { tone = "x" }, asAda),
            () => fixture.Service.Patch($"/v1/personas/{persona}", new { content = "x" }),
            () => fixture.Service.Post($"/v1/people/{user}/tasks", new { title = "t" }),
            () => fixture.Service.Post($"/v1/focus/sessions/{session}/ping", new { }),
            () => fixture.Service.Post("/focus/start", new { person_id = user }),
            () => fixture.Service.Post("/v1/tokens", new { user }),
        };

        (await fixture.Service.Patch($"/v1/users/{user}", new { isActive = false })).Should(HttpStatusCode.OK);
        foreach (var call in calls)
        {
            (await call()).ShouldRefuse(HttpStatusCode.Forbidden, "user_inactive");
        }

        var batch = (await fixture.Service.Post("/v1/prompts:batch", new { pairs = new[] { new { user, personality = character } } })).Should(HttpStatusCode.OK);
        Assert.Contains("user_inactive", batch.Text, StringComparison.Ordinal);
        Assert.False((bool)(await fixture.Service.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json["isActive"]!);
        await Eventually.True("the live session has ended", async () => await Sql.Ask<long>(fixture.Database.Superuser, $"SELECT count(*) FROM focus_sessions WHERE person_id = '{user}' AND status = 'ended' AND end_reason = 'early'") == 1);

        (await fixture.Service.Patch($"/v1/users/{user}", new { isActive = true })).Should(HttpStatusCode.OK);
        (await key.Get($"/v1/personalities/{character}/prompt")).Should(HttpStatusCode.OK);
        (await token.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK);
        (await fixture.Service.Post("/v1/focus/sessions", new { mode = "deep" }, asAda)).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Connections_of_an_inactive_user_end_and_others_lose_what_was_done_for_them()
    {
        var user = await fixture.Service.Register("Ada");
        var character = (await fixture.Service.Post("/v1/personalities", new { name = "Lila", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" }, ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.Created).Id;
        var token = (string)(await fixture.Service.Post("/v1/tokens", new { user })).Should(HttpStatusCode.Created).Json["token"]!;
        NodeClient[] theirs = [await fixture.Clients.Raw(Node.Address, await Node.UserKey(user)), await fixture.Clients.Raw(Node.Address, token)];
        foreach (var client in theirs)
        {
            Assert.Null((await client.Subscribe(StreamName.User(user)))["refused"]);
        }

        var service = await fixture.Clients.Raw(Node.Address, await Node.ServiceKey());
        string[] lost = [StreamName.Companion(user), StreamName.Prompt(user, character)];
        foreach (var stream in lost.Append(StreamName.User(user)))
        {
            Assert.Null((await service.Subscribe(stream))["refused"]);
        }

        (await fixture.Service.Patch($"/v1/users/{user}", new { isActive = false })).Should(HttpStatusCode.OK);

        foreach (var client in theirs)
        {
            Assert.Contains("user_inactive", (await client.Next("closed"))!.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.Equal(lost.Order(), new[] { (string)(await service.Next("revoked"))!, (string)(await service.Next("revoked"))! }.Order());
        // The account's own stream tells it.
        Assert.Equal("user.access-changed", (string)(await service.Event())["type"]!);
    }

    [Fact]
    public async Task What_another_process_did_is_found_out_at_the_next_check()
    {
        var (away, gone) = (await fixture.Service.Register("Ada"), await fixture.Service.Register("Ben"));
        using var admin = Node.Client(await Node.AdminKey());
        var key = (await admin.Post("/v1/keys", new { kind = "service", name = "short" })).Should(HttpStatusCode.Created);
        // A token: the keys of who is gone would have ended with them.
        var token = (string)(await fixture.Service.Post("/v1/tokens", new { user = gone })).Should(HttpStatusCode.Created).Json["token"]!;
        (NodeClient Client, string Reason)[] connected =
        [
            (await fixture.Clients.Raw(Node.Address, await Node.UserKey(away)), "user_inactive"), (await fixture.Clients.Raw(Node.Address, token), "user_deleted"),
            (await fixture.Clients.Raw(Node.Address, (string)key.Json["key"]!), "key_revoked"),
        ];
        foreach (var (client, _) in connected)
        {
            await client.Invoke("Ping");
        }

        await Sql.Run(fixture.Database.Superuser, $"""
            UPDATE users SET is_active = false WHERE id = '{away}';
            DELETE FROM users WHERE id = '{gone}';
            UPDATE api_keys SET revoked_at = now() WHERE id = '{key.Id}'
            """);
        foreach (var (client, reason) in connected)
        {
            Assert.Contains(reason, (await client.Next("closed"))!.ToJsonString(), StringComparison.Ordinal);
        }
    }
}
