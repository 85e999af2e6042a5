using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Gateway;

/// <summary>A command that changed nothing is remembered like one that did: its repeat changes nothing either, whatever came between.</summary>
public sealed class UnchangedTests(Room room) : IClassFixture<Room>
{
    /// <summary>What is, said again; and something else in between.</summary>
    private sealed record Case(ApiClient By, HttpMethod Method, string Path, object? Same, object? Other, HttpMethod? Back = null, string? Read = null);

    public static TheoryData<string> Things =>
    [
        "user", "identity", "registration", "default persona", "user's settings", "user's default config", "override", "override's settings", "persona", "own config",
        "system prompt", "config", "focus mode", "personality", "personality's settings", "role", "alias", "personal alias", "user persona", "tenant", "tenant's settings", "key",
        "mindscape", "learning", "narrative", "channel's settings", "member", "activation", "message", "memory",
    ];

    [Theory, MemberData(nameof(Things))]
    public async Task A_repeat_of_what_changed_nothing_changes_nothing(string thing)
    {
        var it = await Make(thing);
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await it.By.Send(it.Method, it.Path, it.Same, key);
        Assert.True(first.Status is HttpStatusCode.OK, first.Text);
        var between = await it.By.Send(it.Back ?? it.Method, it.Path, it.Other);
        Assert.True((int)between.Status is 200 or 204, between.Text);
        var read = it.Read is null ? null : await it.By.Get(it.Read);
        var repeat = await it.By.Send(it.Method, it.Path, it.Same, key);
        Assert.Equal((first.Status, first.Text), (repeat.Status, repeat.Text));
        if (read is not null)
        {
            Assert.Equal(read.Text, (await it.By.Get(it.Read!)).Text);
        }

        if (it.Other is not null && it.Back is null)
        {
            (await it.By.Send(it.Method, it.Path, it.Other, key)).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
        }
    }

    private async Task<Case> Make(string thing)
    {
        var person = await room.NewPerson();
        var (mine, id) = (person.Client, person.Id);
        async Task<Guid> New(ApiClient by, string path, object body) => (await by.Post(path, body)).Should(HttpStatusCode.Created).Id;
        async Task<string> Slug() => (await person.NewPersonality()).Item2;
        Case Patch(ApiClient by, string path, object same, object other) => new(by, HttpMethod.Patch, path, same, other, Read: path);
        switch (thing)
        {
            case "user":
                return Patch(mine, $"/v1/users/{id}", new { timeZone = "UTC" }, new { timeZone = "Europe/Vienna" });
            case "identity":
                var identity = new { provider = "test", subject = $"again-{id:N}" };
                (await room.Service.Put($"/v1/users/{id}/identities", identity)).Should(HttpStatusCode.OK);
                return new Case(room.Service, HttpMethod.Put, $"/v1/users/{id}/identities", identity, new { provider = "test", subject = $"more-{id:N}" }, Read: $"/v1/users/{id}");
            case "registration":
                var known = (await room.Service.Get($"/v1/users/{id}")).Json["identities"]!.AsArray();
                if (known.Count == 0)
                {
                    known = (await room.Service.Put($"/v1/users/{id}/identities", new { provider = "test", subject = $"r-{id:N}" })).Json["identities"]!.AsArray();
                }

                return new Case(room.Service, HttpMethod.Post, "/v1/users", new { username = "Other", identities = known }, new { username = "Third", identities = known }, Read: $"/v1/users/{id}");
            case "default persona":
                var usual = (Guid)(await mine.Get($"/v1/users/{id}")).Json["defaultPersonaId"]!;
                return new Case(mine, HttpMethod.Put, $"/v1/users/{id}/default-persona", new { personaId = usual },
                    new { personaId = await New(mine, "/v1/personas", new { name = "Captain" }) }, Read: $"/v1/users/{id}");
            case "user's settings":
                return new Case(mine, HttpMethod.Patch, $"/v1/users/{id}/settings", new { maxMessages = (int?)null }, new { maxMessages = 5 }, Read: $"/v1/users/{id}");
            case "user's default config":
                var own = await New(mine, "/v1/llm-configs", new { name = "Own", model = "m" });
                (await mine.Put($"/v1/users/{id}/default-llm-config", new { llmConfigId = own })).Should(HttpStatusCode.OK);
                return new Case(mine, HttpMethod.Put, $"/v1/users/{id}/default-llm-config", new { llmConfigId = own },
                    new { llmConfigId = await New(mine, "/v1/llm-configs", new { name = "Other", model = "m" }) }, Read: $"/v1/users/{id}");
            case "override":
                return new Case(mine, HttpMethod.Put, $"/v1/users/{id}/overrides/{await Slug()}", new { },
                    new { personaId = await New(mine, "/v1/personas", new { name = "Captain" }) }, Read: $"/v1/users/{id}");
            case "override's settings":
                return new Case(mine, HttpMethod.Patch, $"/v1/users/{id}/overrides/{await Slug()}/settings", new { maxMessages = (int?)null }, new { maxMessages = 3 }, Read: $"/v1/users/{id}");
            case "persona":
                return Patch(mine, $"/v1/personas/{await New(mine, "/v1/personas", new { name = "Captain" })}", new { name = "Captain" }, new { name = "Sailor" });
            case "own config":
                return Patch(mine, $"/v1/llm-configs/{await New(mine, "/v1/llm-configs", new { name = "Own", model = "m" })}", new { model = "m" }, new { model = "n" });
            case "system prompt":
                return Patch(room.Admin, $"/v1/system-prompts/{await New(room.Admin, "/v1/system-prompts", new { name = "House", content = "c" })}", new { content = "c" }, new { content = "d" });
            case "config":
                return Patch(room.Admin, $"/v1/llm-configs/{await New(room.Admin, "/v1/llm-configs", new { name = $"G {id}", model = "m" })}", new { model = "m" }, new { model = "n" });
            case "focus mode":
                return Patch(room.Admin, $"/v1/focus-modes/{await New(room.Admin, "/v1/focus-modes", new { modeName = $"Mode of {id}", systemPrompt = "s" })}", new { systemPrompt = "s" }, new { systemPrompt = "t" });
            case "personality":
                return Patch(mine, $"/v1/personalities/{await Slug()}", new { tone = (string?)null }, new { tone = "dry" });
            case "personality's settings":
                var slug = await Slug();
                return new Case(mine, HttpMethod.Patch, $"/v1/personalities/{slug}/settings", new { maxMessages = (int?)null }, new { maxMessages = 3 }, Read: $"/v1/personalities/{slug}");
            case "role":
                var (of, friend) = (await Slug(), await room.NewPerson());
                (await mine.Put($"/v1/personalities/{of}/owners/{friend.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
                return new Case(mine, HttpMethod.Put, $"/v1/personalities/{of}/owners/{friend.Id}", new { role = "viewer" }, new { role = "editor" }, Read: $"/v1/personalities/{of}");
            case "alias":
                var named = await Slug();
                (await room.Admin.Put($"/v1/personalities/{named}/aliases/{named}-a", null)).Should(HttpStatusCode.OK);
                return new Case(room.Admin, HttpMethod.Put, $"/v1/personalities/{named}/aliases/{named}-a", null, null, HttpMethod.Delete, $"/v1/personalities/{named}");
            case "personal alias":
                var called = await Slug();
                (await mine.Put($"/v1/personalities/{called}/aliases/{called}-p?personal=true", null)).Should(HttpStatusCode.OK);
                return new Case(mine, HttpMethod.Put, $"/v1/personalities/{called}/aliases/{called}-p?personal=true", null, null, HttpMethod.Delete, $"/v1/personalities/{called}/aliases");
            case "user persona":
                return Patch(mine, $"/v1/user-personas/{await New(mine, "/v1/user-personas", new { name = "Helper", systemPrompt = "s" })}", new { name = "Helper" }, new { name = "Tutor" });
            case "tenant":
                return Patch(room.Admin, $"/v1/tenants/{room.Node.Demo}", new { eventRetentionDays = (int?)null }, new { eventRetentionDays = 9 });
            case "tenant's settings":
                return Patch(room.Admin, "/v1/tenant/settings", new { memoryLimit = (int?)null }, new { memoryLimit = 2 });
            case "mindscape" or "learning":
                var mindscape = $"/v1/mindscapes/{id}";
                (await mine.Put(mindscape, new { traits = new { likes = "tea" } })).Should(HttpStatusCode.OK);
                return thing == "mindscape"
                    ? new Case(mine, HttpMethod.Put, mindscape, new { traits = new { likes = "tea" } }, new { traits = new { likes = "rum" } }, Read: mindscape)
                    : new Case(mine, HttpMethod.Put, $"{mindscape}/learning", new { paused = false }, new { paused = true }, Read: mindscape);
            case "narrative":
                var narrative = $"/v1/narratives/{await New(mine, "/v1/narratives", new { text = "I like tea" })}";
                return new Case(mine, HttpMethod.Put, narrative, new { text = "I like tea" }, new { text = "I like rum" }, Read: narrative);
            case "memory":
                return Patch(mine, $"/v1/memories/{await New(mine, "/v1/memories", new { content = "sails" })}", new { content = "sails" }, new { content = "rows" });
            case "channel's settings" or "member" or "activation" or "message":
                var channel = $"/v1/channels/{id}";
                (await room.Service.Post($"{channel}/messages", new { role = "user", content = "one", clientId = "m", user = id })).Should(HttpStatusCode.Created);
                (await room.Service.Patch($"{channel}/settings", new { maxMessages = 3 })).Should(HttpStatusCode.OK);
                var active = $"{channel}/active/{await Slug()}";
                (await mine.Put(active, new { place = 3 })).Should(HttpStatusCode.OK);
                return thing switch
                {
                    "member" => new Case(room.Service, HttpMethod.Put, $"{channel}/members/{id}", null, null, HttpMethod.Delete, $"{channel}/members"),
                    "activation" => new Case(mine, HttpMethod.Put, active, new { place = 3 }, new { place = 4 }, Read: $"{channel}/active"),
                    "message" => new Case(mine, HttpMethod.Patch, $"{channel}/messages/m", new { content = "one" }, new { content = "two" }, Read: $"{channel}/messages"),
                    _ => new Case(mine, HttpMethod.Patch, $"{channel}/settings", new { maxMessages = 3 }, new { maxMessages = 4 }, Read: channel),
                };
            default:
                return Patch(room.Admin, $"/v1/keys/{await New(room.Admin, "/v1/keys", new { kind = "service", name = "bot" })}", new { name = "bot" }, new { name = "robot" });
        }
    }
}
