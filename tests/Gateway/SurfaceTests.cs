using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Gateway;

/// <summary>What all entities have in common over HTTP: versions, cursors, heads; and what can be deleted or renamed.</summary>
public sealed class SurfaceTests(Room room) : IClassFixture<Room>
{
    public static TheoryData<string> Entities => ["users", "personas", "personalities", "user-personas", "llm-configs", "system-prompts", "focus-modes", "tenants", "focus/sessions", "tasks"];

    [Theory, MemberData(nameof(Entities))]
    public async Task An_entity_answers_an_ETag_that_If_Match_takes_and_a_write_its_cursor(string kind)
    {
        var (client, path, change) = await Made(kind);
        var read = (await client.Get(path)).Should(HttpStatusCode.OK);
        var tag = read.Headers.ETag!.Tag;
        Assert.Equal($"\"{read.Json["version"]}\"", tag);

        var changed = await Change(client, path, change, tag);
        changed.Should(HttpStatusCode.OK);
        Assert.NotEqual(tag, changed.Headers.ETag!.Tag);
        var cursor = changed.Json["cursor"]!;
        Assert.Equal($"{cursor["epoch"]}:{cursor["seq"]}", changed.Headers.GetValues("Persona-Cursor").Single());
        var later = await client.Get(path);
        Assert.Equal(changed.Headers.ETag.Tag, later.Headers.ETag!.Tag);
        if (later.Json["cursor"] is { } now)
        {
            Assert.Equal(now.ToJsonString(), cursor.ToJsonString());
        }

        // Whoever compressed the answer made its tag weak; the version is the same.
        (await Change(client, path, change, $"W/{tag}")).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var head = (await client.Send(HttpMethod.Head, path, null)).Should(HttpStatusCode.OK);
        Assert.Equal(("", later.Headers.ETag.Tag), (head.Text, head.Headers.ETag!.Tag));
        (await client.Send(HttpMethod.Head, $"{path}x", null)).Should(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_repeat_answers_the_cursor_of_the_first_answer()
    {
        var person = await room.NewPerson();
        var key = ("Idempotency-Key", "cursor");
        var first = (await person.Client.Patch($"/v1/users/{person.Id}", new { timeZone = "Europe/Vienna" }, key)).Should(HttpStatusCode.OK);
        (await person.Client.Patch($"/v1/users/{person.Id}", new { timeZone = "UTC" })).Should(HttpStatusCode.OK);
        var repeat = await person.Client.Patch($"/v1/users/{person.Id}", new { timeZone = "Europe/Vienna" }, key);
        Assert.Equal(first.Text, repeat.Text);
        Assert.Equal(first.Headers.GetValues("Persona-Cursor"), repeat.Headers.GetValues("Persona-Cursor"));
    }

    [Fact]
    public async Task A_prompt_has_a_head()
    {
        var person = await room.NewPerson();
        var (_, slug) = await person.NewPersonality();
        foreach (var path in (string[])[$"/v1/personalities/{slug}/prompt?user={person.Id}", $"/v1/personalities/{slug}/prompt?format=text"])
        {
            var head = (await person.Client.Send(HttpMethod.Head, path, null)).Should(HttpStatusCode.OK);
            Assert.Equal((await person.Client.Get(path)).Headers.ETag, head.Headers.ETag);
        }
    }

    [Fact]
    public async Task Tasks_memories_and_identities_are_deleted()
    {
        var person = await room.NewPerson();
        var people = $"/v1/people/{person.Id}";
        var task = (await person.Client.Post($"{people}/tasks", new { title = "Write" })).Should(HttpStatusCode.Created).Id;
        var session = (await person.Client.Post("/v1/focus/sessions", new { mode = "deep", taskId = task })).Should(HttpStatusCode.Created).Id;
        (await person.Client.Delete($"{people}/tasks/{task}")).ShouldRefuse(HttpStatusCode.Conflict, "task_in_use");
        (await person.Client.Post($"/v1/focus/sessions/{session}/end", new { })).Should(HttpStatusCode.OK);
        (await person.Client.Delete($"{people}/tasks/{task}", ("If-Match", "\"9\""))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var key = ("Idempotency-Key", "task");
        var deleted = (await person.Client.Delete($"{people}/tasks/{task}", key)).Should(HttpStatusCode.NoContent);
        Assert.NotEmpty(deleted.Headers.GetValues("Persona-Cursor"));
        (await person.Client.Delete($"{people}/tasks/{task}", key)).Should(HttpStatusCode.NoContent);
        (await person.Client.Delete($"{people}/tasks/{task}")).ShouldRefuse(HttpStatusCode.NotFound, "task_not_found");

        var memory = (await person.Client.Post($"{people}/memories", new { type = "note", content = new { }, sentiment = -0.9 })).Should(HttpStatusCode.Created).Id;
        var sad = (await person.Client.Get(people)).Json["emotion"]?.ToJsonString();
        (await person.Client.Delete($"{people}/memories/{memory}")).Should(HttpStatusCode.NoContent);
        Assert.NotEqual(sad, (await person.Client.Get(people)).Json["emotion"]?.ToJsonString());
        (await person.Client.Delete($"{people}/memories/{memory}")).ShouldRefuse(HttpStatusCode.NotFound, "memory_not_found");
        foreach (var summary in (await person.Client.Get($"{people}/memories")).Json["items"]!.AsArray())
        {
            (await person.Client.Delete($"{people}/memories/{summary!["id"]}")).Should(HttpStatusCode.NoContent);
        }

        var identity = new { provider = "test", subject = $"gone-{person.Id:N}" };
        (await room.Service.Put($"/v1/users/{person.Id}/identities", identity)).Should(HttpStatusCode.OK);
        (await person.Client.Delete($"/v1/users/{person.Id}/identities/test/{identity.subject}")).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_register");
        (await room.Service.Delete($"/v1/users/{person.Id}/identities/test/{identity.subject}")).Should(HttpStatusCode.OK);
        (await room.Service.Get($"/v1/users/test:{identity.subject}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await room.Service.Delete($"/v1/users/{person.Id}/identities/test/{identity.subject}")).ShouldRefuse(HttpStatusCode.NotFound, "identity_not_found");
        var other = await room.NewPerson();
        (await room.Service.Put($"/v1/users/{other.Id}/identities", identity)).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_is_renamed_and_tells_when_it_was_used_last()
    {
        var made = (await room.Admin.Post("/v1/keys", new { kind = "service", name = "bot" })).Should(HttpStatusCode.Created).Json;
        var path = $"/v1/keys/{made["id"]}";
        Assert.Null((await room.Admin.Get(path)).Json["lastUsedAt"]);
        Assert.Equal("robot", (string?)(await room.Admin.Patch(path, new { name = "robot" })).Should(HttpStatusCode.OK).Json["name"]);
        (await room.Admin.Patch(path, new { name = "two\nlines" })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await room.Service.Patch(path, new { name = "mine" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        using var bot = room.Node.Client((string)made["key"]!);
        (await bot.Get("/v1/users")).Should(HttpStatusCode.OK);
        await Eventually.True("the use is noted", async () => (await room.Admin.Get(path)).Json["lastUsedAt"] is not null);
        Assert.Equal("robot", (string?)(await room.Admin.Get(path)).Json["name"]);
    }

    [Fact]
    public async Task A_tenant_is_deleted_in_two_steps_with_all_that_is_its()
    {
        var (tenant, admin) = await room.NewTenant();
        var name = (string)(await admin.Get($"/v1/tenants/{tenant}")).Json["name"]!;
        var user = (await admin.Post("/v1/users", new { username = "Ada", identities = new[] { new { provider = "test", subject = "ada" } } })).Should(HttpStatusCode.Created).Id;
        (await admin.Delete($"/v1/tenants/{tenant}")).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
        (await room.Operator.Delete($"/v1/tenants/{tenant}")).ShouldRefuse(HttpStatusCode.Conflict, "confirmation_required");
        (await room.Operator.Delete($"/v1/tenants/{tenant}?confirm=other")).ShouldRefuse(HttpStatusCode.Conflict, "confirmation_required");
        (await admin.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK);

        var key = ("Idempotency-Key", $"delete {tenant}");
        (await room.Operator.Delete($"/v1/tenants/{tenant}?confirm={name}", key)).Should(HttpStatusCode.NoContent);
        (await room.Operator.Delete($"/v1/tenants/{tenant}?confirm={name}", key)).Should(HttpStatusCode.NoContent);
        (await room.Operator.Get($"/v1/tenants/{tenant}")).ShouldRefuse(HttpStatusCode.NotFound, "tenant_not_found");
        (await room.Operator.Get($"/v1/users/{user}", ("X-Persona-Tenant", $"{tenant}"))).ShouldRefuse(HttpStatusCode.NotFound, "tenant_not_found");
        (await admin.Get($"/v1/users/{user}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        admin.Dispose();
    }

    [Fact]
    public async Task A_key_that_names_another_tenant_is_told_so()
    {
        var (other, admin) = await room.NewTenant();
        var name = (string)(await admin.Get($"/v1/tenants/{other}")).Json["name"]!;
        var own = (string)(await room.Admin.Get($"/v1/tenants/{room.Tenant}")).Json["name"]!;
        foreach (var named in (string[])[$"{other}", name, "nobody-s"])
        {
            (await room.Service.Get("/v1/users", ("X-Persona-Tenant", named))).ShouldRefuse(HttpStatusCode.Forbidden, "other_tenant");
        }

        (await room.Service.Get("/v1/users", ("X-Persona-Tenant", $"{room.Tenant}"))).Should(HttpStatusCode.OK);
        (await room.Service.Get("/v1/users", ("X-Persona-Tenant", own))).Should(HttpStatusCode.OK);
        var person = await room.NewPerson();
        var (id, _) = await person.NewPersonality();
        var prompt = $"/v1/personalities/{id}/prompt?user={person.Id}";
        // A service takes the short way, which a connection's second request may take.
        foreach (var client in (ApiClient[])[person.Client, room.Service])
        {
            (await client.Get(prompt)).Should(HttpStatusCode.OK);
            (await client.Get(prompt, ("X-Persona-Tenant", $"{other}"))).ShouldRefuse(HttpStatusCode.Forbidden, "other_tenant");
        }

        admin.Dispose();
    }

    [Fact]
    public async Task Me_is_who_acts()
    {
        var person = await room.NewPerson();
        Assert.Equal(person.Id, (await person.Client.Get("/v1/users/me")).Should(HttpStatusCode.OK).Id);
        (await room.Service.Get("/v1/users/me")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        Assert.Equal(person.Id, (await room.Service.Get("/v1/users/me", ("X-Persona-User", $"{person.Id}"))).Should(HttpStatusCode.OK).Id);
    }

    [Fact]
    public async Task A_focus_mode_is_named_with_any_text()
    {
        var name = $"Nachtschicht – leise & lang {Guid.NewGuid()}";
        var id = (await room.Admin.Post("/v1/focus-modes", new { modeName = name, systemPrompt = "s" })).Should(HttpStatusCode.Created).Id;
        Assert.Equal(name, (string?)(await room.Admin.Get($"/v1/focus-modes/{id}")).Json["modeName"]);
        foreach (var bad in (string[])[" ", new string('x', 101), "a\0b"])
        {
            (await room.Admin.Post("/v1/focus-modes", new { modeName = bad, systemPrompt = "s" })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        }
    }

    private static async Task<ApiAnswer> Change(ApiClient client, string path, object change, string tag) => path.Contains("/focus/sessions/", StringComparison.Ordinal)
        ? await client.Post($"{path}/pause", null, ("If-Match", tag))
        : await client.Patch(path, change, ("If-Match", tag));

    private async Task<(ApiClient Client, string Path, object Change)> Made(string kind)
    {
        var person = await room.NewPerson();
        async Task<string> At(ApiClient by, string path, object body) => $"{path}/{(await by.Post(path, body)).Should(HttpStatusCode.Created).Id}";
        return kind switch
        {
            "users" => (person.Client, $"/v1/users/{person.Id}", new { timeZone = "Europe/Vienna" }),
            "personas" => (person.Client, await At(person.Client, "/v1/personas", new { name = "Captain" }), new { content = "I sail." }),
            "personalities" => (person.Client, $"/v1/personalities/{(await person.NewPersonality()).Item1}", new { tone = "dry" }),
            "user-personas" => (person.Client, await At(person.Client, "/v1/user-personas", new { name = "Helper", systemPrompt = "s" }), new { name = "Tutor" }),
            "llm-configs" => (room.Admin, await At(room.Admin, "/v1/llm-configs", new { name = $"G {person.Id}", model = "m" }), new { model = "n" }),
            "system-prompts" => (room.Admin, await At(room.Admin, "/v1/system-prompts", new { name = "House", content = "c" }), new { content = "d" }),
            "focus-modes" => (room.Admin, await At(room.Admin, "/v1/focus-modes", new { modeName = $"m {person.Id}", systemPrompt = "s" }), new { systemPrompt = "t" }),
            "tenants" => (room.Operator, await At(room.Operator, "/v1/tenants", new { name = $"t{person.Id:N}"[..20], displayName = "T" }), new { displayName = "Another" }),
            "tasks" => (person.Client, await At(person.Client, $"/v1/people/{person.Id}/tasks", new { title = "Write" }), new { title = "Read" }),
            _ => (person.Client, await At(person.Client, "/v1/focus/sessions", new { mode = "deep" }), new { }),
        };
    }
}
