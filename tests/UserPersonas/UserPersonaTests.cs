using System.Text.Json.Nodes;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.UserPersonas;

public sealed class UserPersonaTests(Room room) : IClassFixture<Room>
{
    private readonly Node _node = room.Node;
    private readonly ApiClient _service = room.Service;

    [Fact]
    public async Task A_user_persona_is_made_read_changed_and_deleted()
    {
        var user = await _service.Register("ada");
        var made = (await _service.Post($"/v1/user-personas?user={user}", new
        {
            name = "Tutor",
            displayName = "The Tutor",
            avatarUrl = "https://example.org/tutor.png",
            systemPrompt = "You teach.",
            voiceId = "v1",
            traits = new[] { "patient", "kind" },
            domains = new[] { "mathematics" },
            style = new { tone = "warm", zeta = 1, alpha = 2 },
        })).Should(HttpStatusCode.Created);
        Assert.Equal($"/v1/user-personas/{made.Id}", made.Headers.Location!.ToString());
        Assert.False((bool)made.Json["isPublic"]!);
        Assert.Equal(0, (long)made.Json["usageCount"]!);
        var read = (await _service.Get($"/v1/user-personas/{made.Id}")).Should(HttpStatusCode.OK);
        Assert.Equal("""{"tone":"warm","zeta":1,"alpha":2}""", read.Json["style"]!.ToJsonString());
        Assert.Equal(1, (long)read.Json["cursor"]!["seq"]!);
        var changed = (await _service.Patch($"/v1/user-personas/{made.Id}?user={user}", new { traits = new[] { "strict" } })).Should(HttpStatusCode.OK);
        Assert.Equal("""["strict"]""", changed.Json["traits"]!.ToJsonString());
        Assert.Equal("""["mathematics"]""", changed.Json["domains"]!.ToJsonString());
        (await _service.Delete($"/v1/user-personas/{made.Id}?user={user}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/user-personas/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
        (await _service.Post($"/v1/user-personas/{made.Id}/usage?user={user}", new { })).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
    }

    [Theory]
    [InlineData("displayName", "\"Other\"", "null")]
    [InlineData("avatarUrl", "\"https://example.org/a.png\"", "null")]
    [InlineData("voiceId", "\"v\"", "null")]
    [InlineData("traits", """["a","b"]""", "[]")]
    [InlineData("domains", """["x"]""", "[]")]
    [InlineData("style", """{"z":1,"a":[2]}""", "{}")]
    [InlineData("isPublic", "true", "false")]
    public async Task A_field_that_is_absent_keeps_and_one_that_is_null_is_cleared(string field, string value, string cleared)
    {
        var (user, persona) = await Make();
        var set = (await _service.Patch($"/v1/user-personas/{persona}?user={user}", $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        Assert.Equal(value, set.Json[field]!.ToJsonString());
        var kept = (await _service.Patch($"/v1/user-personas/{persona}?user={user}", new { name = "renamed" })).Should(HttpStatusCode.OK);
        Assert.Equal(value, kept.Json[field]!.ToJsonString());
        var gone = (await _service.Patch($"/v1/user-personas/{persona}?user={user}", $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.Equal(cleared, gone.Json[field]?.ToJsonString() ?? "null");
    }

    [Theory]
    [InlineData("name", "null")]
    [InlineData("name", "\" \"")]
    [InlineData("systemPrompt", "null")]
    [InlineData("systemPrompt", "\"\"")]
    [InlineData("avatarUrl", "\"javascript:alert(1)\"")]
    [InlineData("style", "[]")]
    [InlineData("traits[1]", """["a",null]""")]
    public async Task What_cannot_be_is_refused_with_its_field(string field, string value)
    {
        var (user, persona) = await Make();
        var refused = (await _service.Patch($"/v1/user-personas/{persona}?user={user}", $$"""{"{{field.Split('[')[0]}}":{{value}}}"""))
            .ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)refused.Json["field"]);
    }

    [Theory]
    [InlineData("name", 100)]
    [InlineData("displayName", 200)]
    [InlineData("voiceId", 100)]
    [InlineData("systemPrompt", 65536)]
    public async Task Every_text_has_a_limit_and_reaches_it(string field, int limit)
    {
        var (user, persona) = await Make();
        (await _service.Patch($"/v1/user-personas/{persona}?user={user}", new JsonObject { [field] = new string('x', limit) }.ToJsonString())).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/user-personas/{persona}?user={user}", new JsonObject { [field] = new string('x', limit + 1) }.ToJsonString()))
            .ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task A_private_one_is_found_by_its_owner_only()
    {
        var (ada, persona) = await Make();
        using var asBob = _node.Client(await _node.UserKey(await _service.Register("bob")));
        foreach (var answer in new[]
        {
            await asBob.Get($"/v1/user-personas/{persona}"),
            await asBob.Get($"/v1/user-personas/{persona}/stats"),
            await asBob.Patch($"/v1/user-personas/{persona}", new { isPublic = true }),
            await asBob.Delete($"/v1/user-personas/{persona}"),
            await asBob.Post($"/v1/user-personas/{persona}/usage", new { tokens = 1 }),
            await asBob.Post($"/v1/user-personas/{persona}/duplicate", null),
        })
        {
            answer.ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
        }

        using var asAda = _node.Client(await _node.UserKey(ada));
        var own = (await asAda.Get($"/v1/user-personas/{persona}")).Should(HttpStatusCode.OK);
        Assert.False((bool)own.Json["isPublic"]!);
        Assert.Equal(0, (long)own.Json["usageCount"]!);
    }

    [Fact]
    public async Task A_public_one_is_used_by_all_of_the_tenant_and_changed_by_its_owner_only()
    {
        var (_, persona) = await Make(isPublic: true);
        var bob = await _service.Register("bob");
        using var asBob = _node.Client(await _node.UserKey(bob));
        (await asBob.Get($"/v1/user-personas/{persona}")).Should(HttpStatusCode.OK);
        (await asBob.Patch($"/v1/user-personas/{persona}", new { name = "Bob's" })).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        (await asBob.Patch($"/v1/user-personas/{persona}", new { isPublic = false })).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        (await asBob.Delete($"/v1/user-personas/{persona}")).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        using var admin = _node.Client(await _node.AdminKey());
        (await admin.Delete($"/v1/user-personas/{persona}", ("X-Persona-User", bob.ToString()))).ShouldRefuse(HttpStatusCode.Forbidden, "owner_only");
        (await asBob.Post($"/v1/user-personas/{persona}/usage", new { channel = "general", tokens = 7 })).Should(HttpStatusCode.Created);
        Assert.Equal(1, (long)(await asBob.Get($"/v1/user-personas/{persona}")).Json["usageCount"]!);
    }

    [Fact]
    public async Task Another_tenant_sees_nothing_of_it()
    {
        var (_, persona) = await Make(isPublic: true);
        using var operators = _node.Client(await _node.OperatorKey());
        var other = (await operators.Post("/v1/tenants", new { name = $"t{Guid.NewGuid():N}"[..20] })).Should(HttpStatusCode.Created).Id;
        using var elsewhere = _node.Client(await _node.ServiceKey(other));
        var eve = await elsewhere.Register("eve");
        (await elsewhere.Get($"/v1/user-personas/{persona}")).Should(HttpStatusCode.NotFound);
        (await elsewhere.Post($"/v1/user-personas/{persona}/duplicate?user={eve}", null)).Should(HttpStatusCode.NotFound);
        (await elsewhere.Post($"/v1/user-personas/{persona}/usage?user={eve}", new { })).Should(HttpStatusCode.NotFound);
        Assert.Empty((await elsewhere.Get($"/v1/user-personas?user={eve}")).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task A_list_is_ones_own_and_the_public_ones_most_used_first_in_pages()
    {
        var mark = Guid.NewGuid().ToString("N")[..8];
        var ada = await _service.Register("ada");
        var bob = await _service.Register("bob");
        async Task Used(Guid owner, string name, bool isPublic, int uses)
        {
            var id = (await _service.Post($"/v1/user-personas?user={owner}", new { name = $"{mark} {name}", systemPrompt = "p", isPublic })).Should(HttpStatusCode.Created).Id;
            for (var i = 0; i < uses; i++)
            {
                (await _service.Post($"/v1/user-personas/{id}/usage?user={owner}", new { })).Should(HttpStatusCode.Created);
            }
        }

        await Used(ada, "own private", false, 2);
        await Used(ada, "own public", true, 3);
        await Used(ada, "own unused", false, 0);
        await Used(bob, "public", true, 4);
        await Used(bob, "private", false, 9);
        await Used(bob, "public unused", true, 0);

        var names = new List<string>();
        string? after = null;
        do
        {
            var page = (await _service.Get($"/v1/user-personas?user={ada}&limit=2&search={mark.ToUpperInvariant()}{(after is null ? "" : $"&after={after}")}")).Should(HttpStatusCode.OK).Json;
            names.AddRange(page["items"]!.AsArray().Select(item => ((string)item!["name"]!)[9..]));
            after = (string?)page["next"];
        }
        while (after is not null);

        Assert.Equal(["public", "own public", "own private", "own unused", "public unused"], names);
        (await _service.Get($"/v1/user-personas?user={ada}&after=nonsense")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task A_copy_is_private_of_its_maker_and_used_by_nobody_yet()
    {
        var (_, persona) = await Make(isPublic: true, name: new string('n', 100));
        var bob = await _service.Register("bob");
        await _service.Post($"/v1/user-personas/{persona}/usage?user={bob}", new { });
        var copy = (await _service.Post($"/v1/user-personas/{persona}/duplicate?user={bob}", null)).Should(HttpStatusCode.Created);
        Assert.NotEqual(persona, copy.Id);
        Assert.Equal(bob, Guid.Parse((string)copy.Json["ownerId"]!));
        Assert.Equal(new string('n', 93) + " (Copy)", (string?)copy.Json["name"]);
        Assert.False((bool)copy.Json["isPublic"]!);
        Assert.Equal(0, (long)copy.Json["usageCount"]!);
        Assert.Equal("You are a test.", (string?)copy.Json["systemPrompt"]);
        (await _service.Patch($"/v1/user-personas/{copy.Id}?user={bob}", new { systemPrompt = "Mine." })).Should(HttpStatusCode.OK);
        Assert.Equal("You are a test.", (string?)(await _service.Get($"/v1/user-personas/{persona}")).Json["systemPrompt"]);
    }

    [Fact]
    public async Task Uses_at_once_are_each_counted_and_logged_once()
    {
        var (ada, persona) = await Make(isPublic: true);
        var bob = await _service.Register("bob");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            _service.Post($"/v1/user-personas/{persona}/usage?user={(i % 2 == 0 ? ada : bob)}", new { channel = $"c{i}", tokens = i })));
        Assert.All(answers, answer => answer.Should(HttpStatusCode.Created));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), answers.Select(answer => (long)answer.Json["usageCount"]!).Order());
        var stats = (await _service.Get($"/v1/user-personas/{persona}/stats")).Should(HttpStatusCode.OK).Json;
        Assert.Equal(50, (long)stats["uses"]!);
        Assert.Equal(1225, (long)stats["tokens"]!);
        Assert.True((DateTimeOffset)stats["firstUsedAt"]! <= (DateTimeOffset)stats["lastUsedAt"]!);
        Assert.Equal(50L, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM persona_usage_log WHERE persona_id = '{persona}'"));
        Assert.Equal(1, (long)(await _service.Get($"/v1/user-personas/{persona}")).Json["version"]!);
    }

    [Fact]
    public async Task Nothing_used_has_no_first_and_last_use()
    {
        var (_, persona) = await Make();
        var stats = (await _service.Get($"/v1/user-personas/{persona}/stats")).Should(HttpStatusCode.OK).Json;
        Assert.Equal("""{"uses":0,"tokens":0,"firstUsedAt":null,"lastUsedAt":null}""", stats.ToJsonString());
    }

    [Fact]
    public async Task A_use_is_of_a_user_that_is_there_and_costs_no_less_than_nothing()
    {
        var (user, persona) = await Make(isPublic: true);
        (await _service.Post($"/v1/user-personas/{persona}/usage?user={Guid.NewGuid()}", new { })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await _service.Post($"/v1/user-personas/{persona}/usage", new { })).ShouldRefuse(HttpStatusCode.BadRequest, "user_required");
        (await _service.Post($"/v1/user-personas/{persona}/usage?user={user}", new { tokens = -1 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _service.Post($"/v1/user-personas/{persona}/usage?user={user}", new { channel = new string('c', 201) })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(0, (long)(await _service.Get($"/v1/user-personas/{persona}")).Json["usageCount"]!);
    }

    [Fact]
    public async Task Repeats_return_the_first_answer_and_count_nothing()
    {
        var user = await _service.Register("ada");
        var body = new { name = "a", systemPrompt = "p" };
        var made = (await _service.Post($"/v1/user-personas?user={user}", body, ("Idempotency-Key", "m"))).Should(HttpStatusCode.Created);
        Assert.Equal(made.Text, (await _service.Post($"/v1/user-personas?user={user}", body, ("Idempotency-Key", "m"))).Text);
        var use = (await _service.Post($"/v1/user-personas/{made.Id}/usage?user={user}", new { tokens = 3 }, ("Idempotency-Key", "u"))).Should(HttpStatusCode.Created);
        Assert.Equal(use.Text, (await _service.Post($"/v1/user-personas/{made.Id}/usage?user={user}", new { tokens = 3 }, ("Idempotency-Key", "u"))).Text);
        var copy = (await _service.Post($"/v1/user-personas/{made.Id}/duplicate?user={user}", null, ("Idempotency-Key", "c"))).Should(HttpStatusCode.Created);
        Assert.Equal(copy.Id, (await _service.Post($"/v1/user-personas/{made.Id}/duplicate?user={user}", null, ("Idempotency-Key", "c"))).Id);
        Assert.Equal(1, (long)(await _service.Get($"/v1/user-personas/{made.Id}")).Json["usageCount"]!);
    }

    [Fact]
    public async Task Changes_of_another_version_are_refused()
    {
        var (user, persona) = await Make();
        (await _service.Patch($"/v1/user-personas/{persona}?user={user}", new { name = "b" }, ("If-Match", "1"))).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/user-personas/{persona}?user={user}", new { name = "c" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/user-personas/{persona}?user={user}", ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/user-personas/{persona}?user={user}", ("If-Match", "2"))).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_count_that_another_node_raised_is_read_again()
    {
        var (user, persona) = await Make();
        (await _service.Get($"/v1/user-personas/{persona}")).Should(HttpStatusCode.OK);
        await Sql.Run(room.Database.Superuser, $"UPDATE user_personas SET usage_count = 10 WHERE id = '{persona}'");
        var use = (await _service.Post($"/v1/user-personas/{persona}/usage?user={user}", new { })).Should(HttpStatusCode.Created);
        Assert.Equal(11, (long)use.Json["usageCount"]!);
    }

    [Fact]
    public async Task It_goes_with_its_owner_also_from_memory()
    {
        var (ada, persona) = await Make(isPublic: true);
        var bob = await _service.Register("bob");
        (await _service.Post($"/v1/user-personas/{persona}/usage?user={bob}", new { })).Should(HttpStatusCode.Created);
        (await _service.Delete($"/v1/users/{ada}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/user-personas/{persona}", ("X-Persona-User", bob.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
        Assert.Equal(0L, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM persona_usage_log WHERE persona_id = '{persona}'"));
    }

    [Fact]
    public async Task State_plus_later_events_is_the_state_later()
    {
        var (user, persona) = await Make();
        var before = (await _service.Get($"/v1/user-personas/{persona}")).Json;
        await _service.Patch($"/v1/user-personas/{persona}?user={user}", new { style = new { a = new { b = 1 }, c = 2 }, displayName = "d", isPublic = true });
        await _service.Post($"/v1/user-personas/{persona}/usage?user={user}", new { tokens = 5 });
        await _service.Patch($"/v1/user-personas/{persona}?user={user}", new { style = new { a = new { b = 2 } }, displayName = (string?)null, traits = new[] { "x" } });
        var after = (await _service.Get($"/v1/user-personas/{persona}")).Json;
        Assert.Equal(
            ["user-persona.updated", "user-persona.used", "user-persona.updated"],
            await Replay.ShouldGive(_node, StreamName.UserPersona(persona), before, after));
    }

    private async Task<(Guid User, Guid Persona)> Make(bool isPublic = false, string name = "assistant")
    {
        var user = await _service.Register("ada");
        var made = (await _service.Post($"/v1/user-personas?user={user}", new { name, systemPrompt = "You are a test.", isPublic })).Should(HttpStatusCode.Created);
        return (user, made.Id);
    }
}
