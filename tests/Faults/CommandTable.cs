using System.IO.Compression;
using PersonaActors.Grains.Imports;

namespace PersonaActors.Tests.Faults;

/// <summary>
/// Every command of the service: how it comes to be possible, what is sent, and where what it did is seen. A new route that
/// changes something is one entry more.
/// </summary>
internal static class CommandTable
{
    /// <summary>POST, but nothing is written.</summary>
    public static readonly string[] WriteNothing =
    [
        "POST /v1/tokens", "POST /v1/personalities/{personality}/prompt", "POST /v1/user-personas/{id}/prompt", "POST /v1/prompts:batch",
        "POST /v1/mappers/{id}:simulate", "POST /v1/narratives:search", "POST /v1/channels/{channelId}/typing",
    ];

    /// <summary>By route; what stands behind a dash tells one entry of a route from the other.</summary>
    public static readonly Dictionary<string, Func<CutScene, Task<CutTry>>> All = new(
        [
            .. Tenants(), .. Users(), .. Overrides(), .. Personas(), .. Catalogue(), .. Personalities(), .. UserPersonas(), .. Sessions(), .. People(), .. Mindscapes(), .. Narratives(), .. Mappers(),
            .. Channels(), .. Memories(), .. Jobs(), .. Imports(),
        ]);

    private static KeyValuePair<string, Func<CutScene, Task<CutTry>>> Row(string route, Func<CutScene, Task<CutTry>> prepare) => new(route, prepare);

    private static KeyValuePair<string, Func<CutScene, Task<CutTry>>> Row(string route, Func<CutScene, CutTry> prepare) => new(route, scene => Task.FromResult(prepare(scene)));

    private static CutTry Post(CutScene s, ApiClient by, string path, object? body = null, params (string, string)[] headers) => new(s, by, HttpMethod.Post, path, body, headers);

    private static CutTry Put(CutScene s, ApiClient by, string path, object? body = null) => new(s, by, HttpMethod.Put, path, body);

    private static CutTry Patch(CutScene s, ApiClient by, string path, object? body = null) => new(s, by, HttpMethod.Patch, path, body);

    private static CutTry Delete(CutScene s, ApiClient by, string path) => new(s, by, HttpMethod.Delete, path, null);

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Tenants() =>
    [
        Row("POST /v1/tenants", s => Post(s, s.Operator, "/v1/tenants", new { name = $"{s.Tag}-new", displayName = "New" })
            .SeeAs(s.Operator, "/v1/tenants/{id}", $"/v1/tenants?search={s.Tag}-new")),
        Row("PATCH /v1/tenants/{id}", s => Patch(s, s.Admin, $"/v1/tenants/{s.Tenant}", new { displayName = "Renamed" })
            .SeeAs(s.Admin, $"/v1/tenants/{s.Tenant}").HearAs(s.Admin, $"tenant:{s.Tenant}")),
        Row("DELETE /v1/tenants/{id}", async s =>
        {
            var tenant = await s.Make(s.Operator, "/v1/tenants", new { name = $"{s.Tag}-gone", displayName = "Gone" });
            return Delete(s, s.Operator, $"/v1/tenants/{tenant}?confirm={s.Tag}-gone").SeeAs(s.Operator, $"/v1/tenants/{tenant}", $"/v1/tenants?search={s.Tag}-gone");
        }),
        Row("PATCH /v1/tenant/settings", s => Patch(s, s.Admin, "/v1/tenant/settings", new { maxMessages = 7 })
            .See("/v1/tenant/settings", s.AdaPrompt).HearAs(s.Admin, $"tenant:{s.Tenant}").Hear($"prompt:{s.AdaId}:{s.Lila}")),
        Row("POST /v1/keys", s => Post(s, s.Admin, "/v1/keys", new { kind = "service", name = "another" })
            .SeeAs(s.Admin, "/v1/keys", "/v1/keys/{id}").HearAs(s.Admin, $"tenant:{s.Tenant}")),
        Row("PATCH /v1/keys/{id}", async s =>
        {
            var (key, _) = await s.NewKey(new { kind = "user", name = "lost", user = s.AdaId });
            return Patch(s, s.Admin, $"/v1/keys/{key}", new { name = "found" }).SeeAs(s.Admin, "/v1/keys", $"/v1/keys/{key}").HearAs(s.Admin, $"tenant:{s.Tenant}");
        }),
        Row("DELETE /v1/keys/{id}", async s =>
        {
            var (key, client) = await s.NewKey(new { kind = "user", name = "lost", user = s.AdaId });
            return Delete(s, s.Admin, $"/v1/keys/{key}")
                .SeeAs(s.Admin, "/v1/keys", $"/v1/keys/{key}").SeeAs(client, $"/v1/users/{s.AdaId}").HearAs(s.Admin, $"tenant:{s.Tenant}").HearAs(client, $"user:{s.AdaId}");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Users() =>
    [
        Row("POST /v1/users", s => Post(s, s.Service, "/v1/users", new { username = "New", identities = new[] { new { provider = "test", subject = $"new-{s.Tag}" } } })
            .See("/v1/users?search=New", "/v1/users/{id}", $"/v1/users/by-identity/test/new-{s.Tag}", "/v1/personas?user={id}")),
        Row("POST /v1/users - of nobody", s => Post(s, s.Service, "/v1/users", new { username = "New" }).See("/v1/users?search=New", "/v1/users/{id}")),
        Row("POST /v1/users - in place of a placeholder, its persona", s => Placeholder(s)),
        Row("POST /v1/users - in place of a placeholder, itself", async s => (await Placeholder(s)).CutIn(@"user\.updated")),
        Row("PATCH /v1/users/{id}", s => Patch(s, s.Ada, $"/v1/users/{s.AdaId}", new { username = "Renamed", timeZone = "Europe/Vienna" })
            .See($"/v1/users/{s.AdaId}", "/v1/users?search=Renamed").Hear($"user:{s.AdaId}")),
        Row("PUT /v1/users/{id}/identities", s => Put(s, s.Service, $"/v1/users/{s.AdaId}/identities", new { provider = "test", subject = $"other-{s.Tag}" })
            .See($"/v1/users/{s.AdaId}", $"/v1/users/by-identity/test/other-{s.Tag}").Hear($"user:{s.AdaId}")),
        Row("DELETE /v1/users/{id}/identities/{provider}/{subject}", s => Delete(s, s.Service, $"/v1/users/{s.AdaId}/identities/test/ada-{s.Tag}")
            .See($"/v1/users/{s.AdaId}", $"/v1/users/by-identity/test/ada-{s.Tag}").Hear($"user:{s.AdaId}")),
        Row("PUT /v1/users/{id}/default-persona", async s =>
        {
            var persona = await s.Make(s.Ada, "/v1/personas", new { name = "Captain", content = "I command." });
            return Put(s, s.Ada, $"/v1/users/{s.AdaId}/default-persona", new { personaId = persona })
                .See($"/v1/users/{s.AdaId}", s.AdaPrompt).Hear($"user:{s.AdaId}", $"prompt:{s.AdaId}:{s.Lila}");
        }),
        Row("PATCH /v1/users/{id}/settings", s => Patch(s, s.Ada, $"/v1/users/{s.AdaId}/settings", new { maxMessages = 5 })
            .See($"/v1/users/{s.AdaId}", s.AdaPrompt).Hear($"user:{s.AdaId}", $"prompt:{s.AdaId}:{s.Lila}")),
        Row("PUT /v1/users/{id}/default-llm-config", async s =>
        {
            var config = await s.Make(s.Ada, "/v1/llm-configs", new { name = "Own", model = "own/model" });
            return Put(s, s.Ada, $"/v1/users/{s.AdaId}/default-llm-config", new { llmConfigId = config })
                .See($"/v1/users/{s.AdaId}", s.AdaPrompt).Hear($"user:{s.AdaId}", $"prompt:{s.AdaId}:{s.Lila}");
        }),
        Row("DELETE /v1/users/{id}/default-llm-config", async s =>
        {
            var config = await s.Make(s.Ada, "/v1/llm-configs", new { name = "Own", model = "own/model" });
            await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/default-llm-config", new { llmConfigId = config }));
            return Delete(s, s.Ada, $"/v1/users/{s.AdaId}/default-llm-config")
                .See($"/v1/users/{s.AdaId}", s.AdaPrompt).Hear($"user:{s.AdaId}", $"prompt:{s.AdaId}:{s.Lila}");
        }),
        Row("DELETE /v1/users/{id}", async s =>
        {
            var (bobId, bob) = await s.NewUser("bob");
            var persona = await s.Make(bob, "/v1/personas", new { name = "work" });
            var assistant = await s.Make(bob, "/v1/user-personas", new { name = "helper", systemPrompt = "Help.", isPublic = true });
            var own = await s.Make(bob, "/v1/personalities", new { name = "Own", slug = $"own-{s.Tag}", characterInfo = "", personalityTraits = "", isPublic = true });
            var session = await s.Make(bob, "/v1/focus/sessions", new { mode = "deep" });
            await s.Do(s.Ada.Put($"/v1/personalities/{s.Lila}/owners/{bobId}", new { role = "editor" }));
            return Delete(s, s.Service, $"/v1/users/{bobId}").Of(bobId)
                .SeeGone(
                    $"/v1/users/{bobId}", $"/v1/users/by-identity/test/bob-{s.Tag}", $"/v1/personas/{persona}", $"/v1/personas?user={bobId}",
                    $"/v1/user-personas/{assistant}", $"/v1/user-personas/{assistant}/stats", $"/v1/focus/sessions/{session}", $"/v1/focus/sessions/{session}/events",
                    $"/v1/focus/sessions/{session}/summary", $"/v1/people/{bobId}", $"/v1/people/{bobId}/rhythm", $"/v1/people/{bobId}/focus/stats",
                    $"/v1/personalities/{own}", CutScene.Prompt(s.LilaSlug, bobId))
                .See("/v1/users", $"/v1/user-personas/{assistant}/prompt?user={s.AdaId}")
                .SeeAs(s.Ada, $"/v1/personalities/own-{s.Tag}", CutScene.Prompt($"own-{s.Tag}", s.AdaId), $"/v1/personalities/{s.Lila}/owners", $"/v1/user-personas/{assistant}")
                .SeeAs(bob, $"/v1/users/{bobId}")
                .Hear($"user:{bobId}", $"persona:{persona}", $"session:{session}", $"companion:{bobId}", $"user-persona:{assistant}", $"prompt:{bobId}:{s.Lila}", $"presence:user:{bobId}")
                .HearAs(s.Ada, $"user-persona:{assistant}", $"personality:{s.Lila}", $"prompt:{s.AdaId}:{own}")
                .HearAs(bob, $"prompt:{bobId}:{s.Lila}");
        }),
    ];

    private static async Task<CutTry> Placeholder(CutScene s)
    {
        var identities = new[] { new { provider = "test", subject = $"later-{s.Tag}" } };
        var user = await s.Make(s.Service, "/v1/users", new { username = $"User later-{s.Tag}", identities });
        return Post(s, s.Service, "/v1/users", new { username = "Known", displayName = "Kay", bio = "I sail.", identities })
            .See($"/v1/users/{user}", $"/v1/personas?user={user}", CutScene.Prompt(s.LilaSlug, user)).Hear($"user:{user}", $"prompt:{user}:{s.Lila}");
    }

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Overrides() =>
    [
        Row("PUT /v1/users/{id}/overrides/{personality}", async s =>
        {
            var persona = await s.Make(s.Ada, "/v1/personas", new { name = "Captain", content = "I command." });
            return Put(s, s.Ada, $"/v1/users/{s.AdaId}/overrides/{s.LilaSlug}", new { personaId = persona }).SeeOverrides(s);
        }),
        Row("PATCH /v1/users/{id}/overrides/{personality}/settings", s => Patch(s, s.Ada, $"/v1/users/{s.AdaId}/overrides/{s.LilaSlug}/settings", new { maxMessages = 3 }).SeeOverrides(s)),
        Row("DELETE /v1/users/{id}/overrides/{personality}", async s =>
        {
            await s.Do(s.Ada.Patch($"/v1/users/{s.AdaId}/overrides/{s.LilaSlug}/settings", new { maxMessages = 3 }));
            return Delete(s, s.Ada, $"/v1/users/{s.AdaId}/overrides/{s.LilaSlug}").SeeOverrides(s);
        }),
    ];

    private static CutTry SeeOverrides(this CutTry of, CutScene s) => of
        .See($"/v1/users/{s.AdaId}/overrides", $"/v1/users/{s.AdaId}/overrides/{s.LilaSlug}", $"/v1/users/{s.AdaId}", s.AdaPrompt)
        .Hear($"user:{s.AdaId}", $"prompt:{s.AdaId}:{s.Lila}");

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Personas() =>
    [
        Row("POST /v1/personas", s => Post(s, s.Ada, "/v1/personas", new { name = "Captain", content = "I command." })
            .See("/v1/personas/{id}", $"/v1/personas?user={s.AdaId}").Hear($"user:{s.AdaId}")),
        Row("PATCH /v1/personas/{id}", async s =>
        {
            var persona = (string)(await s.Do(s.Ada.Get($"/v1/users/{s.AdaId}"))).Json["defaultPersonaId"]!;
            return Patch(s, s.Ada, $"/v1/personas/{persona}", new { content = "I sail." })
                .See($"/v1/personas/{persona}", $"/v1/personas?user={s.AdaId}", s.AdaPrompt).Hear($"persona:{persona}", $"prompt:{s.AdaId}:{s.Lila}");
        }),
        Row("DELETE /v1/personas/{id}", async s =>
        {
            var persona = await s.Make(s.Ada, "/v1/personas", new { name = "Captain", content = "I command." });
            await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/overrides/{s.Lila}", new { personaId = persona }));
            return Delete(s, s.Service, $"/v1/personas/{persona}").SeeOverrides(s)
                .See($"/v1/personas?user={s.AdaId}").Of(s.AdaId).SeeGone($"/v1/personas/{persona}")
                .Hear($"persona:{persona}").HearAs(s.Ada, $"persona:{persona}");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Catalogue() =>
    [
        Row("POST /v1/system-prompts", s => Post(s, s.Admin, "/v1/system-prompts", new { name = "House", content = "Be brief.", isDefault = true })
            .SeeCatalogue(s, "/v1/system-prompts", "/v1/system-prompts/{id}")),
        Row("PATCH /v1/system-prompts/{id}", async s =>
        {
            var prompt = await s.Make(s.Admin, "/v1/system-prompts", new { name = "House", content = "Be brief.", isDefault = true });
            return Patch(s, s.Admin, $"/v1/system-prompts/{prompt}", new { content = "Be kind." }).SeeCatalogue(s, "/v1/system-prompts", $"/v1/system-prompts/{prompt}");
        }),
        Row("DELETE /v1/system-prompts/{id}", async s =>
        {
            var prompt = await s.Make(s.Admin, "/v1/system-prompts", new { name = "House", content = "Be brief." });
            await s.Do(s.Ada.Patch($"/v1/personalities/{s.Lila}", new { systemPromptId = prompt }));
            return Delete(s, s.Admin, $"/v1/system-prompts/{prompt}").SeeCatalogue(s, "/v1/system-prompts", $"/v1/system-prompts/{prompt}");
        }),
        Row("POST /v1/llm-configs", s => Post(s, s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one", isDefault = true })
            .SeeCatalogue(s, "/v1/llm-configs", "/v1/llm-configs/{id}")),
        Row("PATCH /v1/llm-configs/{id}", async s =>
        {
            var config = await s.Make(s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one", isDefault = true });
            return Patch(s, s.Admin, $"/v1/llm-configs/{config}", new { temperature = 0.5 }).SeeCatalogue(s, "/v1/llm-configs", $"/v1/llm-configs/{config}");
        }),
        Row("PATCH /v1/llm-configs/{id} - given away", async s =>
        {
            var config = await s.Make(s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one", isDefault = true });
            await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/overrides/{s.Lila}", new { llmConfigId = config }));
            return Patch(s, s.Admin, $"/v1/llm-configs/{config}", new { ownerId = s.AdaId, isDefault = false })
                .SeeCatalogue(s, "/v1/llm-configs", $"/v1/llm-configs/{config}").SeeAs(s.Ada, "/v1/llm-configs", $"/v1/llm-configs/{config}");
        }),
        Row("DELETE /v1/llm-configs/{id}", async s =>
        {
            var config = await s.Make(s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one", isDefault = true });
            await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/overrides/{s.Lila}", new { llmConfigId = config }));
            return Delete(s, s.Admin, $"/v1/llm-configs/{config}").SeeCatalogue(s, "/v1/llm-configs", $"/v1/llm-configs/{config}");
        }),
        Row("POST /v1/llm-configs - one's own", s => Post(s, s.Ada, "/v1/llm-configs", new { name = "Own", model = "own/model" })
            .SeeAs(s.Ada, "/v1/llm-configs", "/v1/llm-configs/{id}").Hear($"user:{s.AdaId}")),
        Row("PATCH /v1/llm-configs/{id} - one's own", async s =>
        {
            var config = await OwnConfig(s);
            return Patch(s, s.Ada, $"/v1/llm-configs/{config}", new { temperature = 0.5 }).SeeOverrides(s).SeeAs(s.Ada, "/v1/llm-configs", $"/v1/llm-configs/{config}");
        }),
        Row("DELETE /v1/llm-configs/{id} - one's own", async s =>
        {
            var config = await OwnConfig(s);
            return Delete(s, s.Ada, $"/v1/llm-configs/{config}").SeeOverrides(s).SeeAs(s.Ada, "/v1/llm-configs", $"/v1/llm-configs/{config}");
        }),
        Row("POST /v1/focus-modes", s => Post(s, s.Admin, "/v1/focus-modes", new { modeName = "poet", systemPrompt = "Write." })
            .SeeCatalogue(s, "/v1/focus-modes", "/v1/focus-modes/{id}", $"{s.AdaPrompt}&focusMode=poet")),
        Row("PATCH /v1/focus-modes/{id}", async s =>
        {
            var mode = await s.Make(s.Admin, "/v1/focus-modes", new { modeName = "poet", systemPrompt = "Write." });
            return Patch(s, s.Admin, $"/v1/focus-modes/{mode}", new { systemPrompt = "Write less." }).SeeCatalogue(s, $"/v1/focus-modes/{mode}", $"{s.AdaPrompt}&focusMode=poet");
        }),
        Row("DELETE /v1/focus-modes/{id}", async s =>
        {
            var mode = await s.Make(s.Admin, "/v1/focus-modes", new { modeName = "poet", systemPrompt = "Write." });
            return Delete(s, s.Admin, $"/v1/focus-modes/{mode}").SeeCatalogue(s, $"/v1/focus-modes/{mode}", $"{s.AdaPrompt}&focusMode=poet");
        }),
        Row("POST /v1/focus-modes - the system's", s => Post(s, s.Operator, "/v1/focus-modes", new { modeName = s.Tag, systemPrompt = "Write.", isSystem = true })
            .See("/v1/focus-modes/{id}", $"/v1/focus-modes?search={s.Tag}", $"{s.AdaPrompt}&focusMode={s.Tag}")),
        Row("PATCH /v1/focus-modes/{id} - the system's", async s =>
        {
            var mode = await s.Make(s.Operator, "/v1/focus-modes", new { modeName = s.Tag, systemPrompt = "Write.", isSystem = true });
            return Patch(s, s.Operator, $"/v1/focus-modes/{mode}", new { systemPrompt = "Write less." }).See($"/v1/focus-modes?search={s.Tag}", $"{s.AdaPrompt}&focusMode={s.Tag}");
        }),
        Row("DELETE /v1/focus-modes/{id} - the system's", async s =>
        {
            var mode = await s.Make(s.Operator, "/v1/focus-modes", new { modeName = s.Tag, systemPrompt = "Write.", isSystem = true });
            return Delete(s, s.Operator, $"/v1/focus-modes/{mode}").See($"/v1/focus-modes/{mode}", $"{s.AdaPrompt}&focusMode={s.Tag}");
        }),
    ];

    private static CutTry SeeCatalogue(this CutTry of, CutScene s, params string[] paths) =>
        of.See([.. paths, "/v1/catalogue", s.AdaPrompt]).Hear($"catalogue:{s.Tenant}", $"prompt:{s.AdaId}:{s.Lila}");

    private static async Task<Guid> OwnConfig(CutScene s)
    {
        var config = await s.Make(s.Ada, "/v1/llm-configs", new { name = "Own", model = "own/model" });
        await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/default-llm-config", new { llmConfigId = config }));
        await s.Do(s.Ada.Put($"/v1/users/{s.AdaId}/overrides/{s.Lila}", new { llmConfigId = config }));
        return config;
    }

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Personalities() =>
    [
        Row("POST /v1/personalities", s => Post(s, s.Ada, "/v1/personalities", new { name = "Mira", slug = $"mira-{s.Tag}", characterInfo = "New.", personalityTraits = "" })
            .SeeAs(s.Ada, $"/v1/personalities/mira-{s.Tag}", "/v1/personalities?search=Mira", CutScene.Prompt($"mira-{s.Tag}", s.AdaId))),
        Row("PATCH /v1/personalities/{personality}", s => Patch(s, s.Ada, $"/v1/personalities/{s.LilaSlug}", new { characterInfo = "Greets {{user}}." }).SeeLila(s)),
        Row("PATCH /v1/personalities/{personality} - another slug", s => Patch(s, s.Ada, $"/v1/personalities/{s.LilaSlug}", new { slug = $"new-{s.Tag}" })
            .SeeLila(s).See($"/v1/personalities/new-{s.Tag}", CutScene.Prompt($"new-{s.Tag}", s.AdaId))),
        Row("PATCH /v1/personalities/{personality} - no longer public", async s =>
        {
            var (bobId, bob) = await s.NewUser("bob");
            return Patch(s, s.Ada, $"/v1/personalities/{s.LilaSlug}", new { isPublic = false }).SeeLila(s)
                .SeeAs(bob, $"/v1/personalities/{s.LilaSlug}", "/v1/personalities", CutScene.Prompt(s.LilaSlug, bobId))
                .HearAs(bob, $"prompt:{bobId}:{s.Lila}");
        }),
        Row("DELETE /v1/personalities/{personality}", async s =>
        {
            await s.Do(s.Ada.Patch($"/v1/users/{s.AdaId}/overrides/{s.Lila}/settings", new { maxMessages = 3 }));
            await s.Do(s.Ada.Put($"/v1/personalities/{s.Lila}/aliases/other-{s.Tag}", null));
            return Delete(s, s.Ada, $"/v1/personalities/{s.LilaSlug}").SeeLila(s)
                .See($"/v1/personalities/other-{s.Tag}", $"/v1/users/{s.AdaId}/overrides", "/v1/personalities").HearAs(s.Ada, $"presence:personality:{s.Lila}");
        }),
        Row("PATCH /v1/personalities/{personality}/settings", s => Patch(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/settings", new { maxMessages = 4 }).SeeLila(s)),
        Row("PUT /v1/personalities/{personality}/default-llm-config", async s =>
        {
            var config = await s.Make(s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one" });
            return Put(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/default-llm-config", new { llmConfigId = config }).SeeLila(s);
        }),
        Row("DELETE /v1/personalities/{personality}/default-llm-config", async s =>
        {
            var config = await s.Make(s.Admin, "/v1/llm-configs", new { name = "Global", model = "g/one" });
            await s.Do(s.Ada.Put($"/v1/personalities/{s.LilaSlug}/default-llm-config", new { llmConfigId = config }));
            return Delete(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/default-llm-config").SeeLila(s);
        }),
        Row("PUT /v1/personalities/{personality}/owners/{user}", async s =>
        {
            await s.Do(s.Ada.Patch($"/v1/personalities/{s.LilaSlug}", new { isPublic = false }));
            var (bobId, bob) = await s.NewUser("bob");
            return Put(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/owners/{bobId}", new { role = "viewer" }).SeeLila(s)
                .SeeAs(s.Ada, $"/v1/personalities/{s.Lila}/owners").SeeAs(bob, $"/v1/personalities/{s.LilaSlug}", "/v1/personalities");
        }),
        Row("DELETE /v1/personalities/{personality}/owners/{user}", async s =>
        {
            await s.Do(s.Ada.Patch($"/v1/personalities/{s.LilaSlug}", new { isPublic = false }));
            var (bobId, bob) = await s.NewUser("bob");
            await s.Do(s.Ada.Put($"/v1/personalities/{s.LilaSlug}/owners/{bobId}", new { role = "editor" }));
            return Delete(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/owners/{bobId}").SeeLila(s)
                .SeeAs(s.Ada, $"/v1/personalities/{s.Lila}/owners").SeeAs(bob, $"/v1/personalities/{s.LilaSlug}", "/v1/personalities")
                .HearAs(bob, $"personality:{s.Lila}", $"prompt:{bobId}:{s.Lila}", $"presence:personality:{s.Lila}");
        }),
        Row("PUT /v1/personalities/{personality}/aliases/{alias}", s => Put(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/aliases/other-{s.Tag}").SeeLila(s)
            .See($"/v1/personalities/other-{s.Tag}", CutScene.Prompt($"other-{s.Tag}", s.AdaId)).SeeAs(s.Ada, $"/v1/personalities/{s.Lila}/aliases")),
        Row("PUT /v1/personalities/{personality}/aliases/{alias} - one's own", s => Put(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/aliases/own-{s.Tag}?personal=true")
            .SeeAs(s.Ada, $"/v1/personalities/own-{s.Tag}", CutScene.Prompt($"own-{s.Tag}", s.AdaId), $"/v1/personalities/{s.Lila}/aliases")),
        Row("DELETE /v1/personalities/{personality}/aliases/{alias}", async s =>
        {
            await s.Do(s.Ada.Put($"/v1/personalities/{s.LilaSlug}/aliases/other-{s.Tag}", null));
            return Delete(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/aliases/other-{s.Tag}").SeeLila(s)
                .See($"/v1/personalities/other-{s.Tag}").SeeAs(s.Ada, $"/v1/personalities/{s.Lila}/aliases");
        }),
        Row("DELETE /v1/personalities/{personality}/aliases/{alias} - one's own", async s =>
        {
            await s.Do(s.Ada.Put($"/v1/personalities/{s.LilaSlug}/aliases/own-{s.Tag}?personal=true", null));
            return Delete(s, s.Ada, $"/v1/personalities/{s.LilaSlug}/aliases/own-{s.Tag}?personal=true")
                .SeeAs(s.Ada, $"/v1/personalities/own-{s.Tag}", $"/v1/personalities/{s.Lila}/aliases");
        }),
    ];

    private static CutTry SeeLila(this CutTry of, CutScene s) => of
        .SeeAs(s.Admin, $"/v1/personalities/{s.Lila}", $"/v1/personalities/{s.LilaSlug}").See(s.AdaPrompt, CutScene.Prompt(s.LilaSlug, s.AdaId))
        .HearAs(s.Ada, $"personality:{s.Lila}").Hear($"prompt:{s.AdaId}:{s.Lila}");

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> UserPersonas() =>
    [
        Row("POST /v1/user-personas", s => Post(s, s.Ada, "/v1/user-personas", new { name = "helper", systemPrompt = "Help." })
            .SeeAs(s.Ada, "/v1/user-personas", "/v1/user-personas/{id}", "/v1/user-personas/{id}/prompt")),
        Row("PATCH /v1/user-personas/{id}", s => Assistant(s, (id, bob) => Patch(s, s.Ada, $"/v1/user-personas/{id}", new { systemPrompt = "Help more.", isPublic = false }))),
        Row("DELETE /v1/user-personas/{id}", s => Assistant(s, (id, bob) => Delete(s, s.Ada, $"/v1/user-personas/{id}"))),
        Row("POST /v1/user-personas/{id}/duplicate", s => Assistant(s, (id, bob) => Post(s, bob, $"/v1/user-personas/{id}/duplicate").SeeAs(bob, "/v1/user-personas/{id}"))),
        Row("POST /v1/user-personas/{id}/usage", s => Assistant(s, (id, bob) => Post(s, bob, $"/v1/user-personas/{id}/usage", new { tokens = 5 }))),
    ];

    private static async Task<CutTry> Assistant(CutScene s, Func<Guid, ApiClient, CutTry> command)
    {
        var id = await s.Make(s.Ada, "/v1/user-personas", new { name = "helper", systemPrompt = "Help.", isPublic = true });
        var (bobId, bob) = await s.NewUser("bob");
        return command(id, bob)
            .SeeAs(s.Ada, $"/v1/user-personas/{id}", $"/v1/user-personas/{id}/stats", $"/v1/user-personas/{id}/prompt?user={s.AdaId}", "/v1/user-personas")
            .SeeAs(bob, $"/v1/user-personas/{id}", $"/v1/user-personas/{id}/prompt?user={bobId}", "/v1/user-personas")
            .HearAs(s.Ada, $"user-persona:{id}").HearAs(bob, $"user-persona:{id}");
    }

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Sessions() =>
    [
        Row("POST /v1/focus/sessions", s => Post(s, s.Ada, "/v1/focus/sessions", new { mode = "deep" }).SeeAda(s).See("/v1/focus/sessions/{id}", "/v1/focus/sessions/{id}/events")),
        Row("POST /v1/focus/sessions - of somebody new", s => Newcomer(s)),
        Row("POST /v1/focus/sessions - of somebody new, the session", s => Newcomer(s).CutIn("INSERT INTO focus_sessions|session_start")),
        Row("POST /v1/focus/sessions - taking over", async s => Over(s, await s.NewSession())),
        Row("POST /v1/focus/sessions - taking over, the other's end", async s => Over(s, await s.NewSession()).CutIn("taken_over")),
        Row("POST /v1/focus/sessions/{id}/ping", s => Session(s, "ping", new { biomarkers = new { focus = 0.3, idle_seconds = 240 } })),
        Row("POST /v1/focus/sessions/{id}/pause", s => Session(s, "pause")),
        Row("POST /v1/focus/sessions/{id}/resume", s => Session(s, "resume", null, ("pause", null))),
        Row("POST /v1/focus/sessions/{id}/break", s => Session(s, "break", new { minutes = 7 })),
        Row("POST /v1/focus/sessions/{id}/skip-break", s => Session(s, "skip-break", null, ("break", new { minutes = 7 }))),
        Row("POST /v1/focus/sessions/{id}/extend", s => Session(s, "extend", new { minutes = 5 }, ("break", new { minutes = 7 }))),
        Row("POST /v1/focus/sessions/{id}/idle-return", s => Session(
            s, "idle-return", new { answer = "discard" }, ("ping", new { biomarkers = new { idle_seconds = 240 } }), ("ping", null))),
        Row("POST /v1/focus/sessions/{id}/snooze", s => Session(s, "snooze", new { minutes = 20 })),
        Row("POST /v1/focus/sessions/{id}/end", s => Session(s, "end", new { completionScore = 0.9 })),
        Row("POST /v1/focus/sessions/{id}/nudges/{eventId}", async s =>
        {
            await s.Do(s.Ada.Put($"/v1/people/{s.AdaId}/rhythm", new { stressLevel = 0.8, fatigueLevel = 0.8, bodyEnergy = 0.5 }));
            var session = await s.NewSession();
            var nudge = (string)(await s.Do(s.Ada.Get($"/v1/focus/sessions/{session}"))).Json["lastNudge"]!["eventId"]!;
            return Post(s, s.Ada, $"/v1/focus/sessions/{session}/nudges/{nudge}", new { answer = "snooze_15" }).SeeSession(s, session);
        }),
        Row("POST /focus/start", s => Post(s, s.Ada, "/focus/start", new { person_id = s.AdaId, mode = "deep" }).SeeAda(s)),
        Row("POST /focus/ping", async s =>
        {
            var session = await s.NewSession();
            return Post(s, s.Ada, "/focus/ping", new { session_id = session, biomarkers = new { focus = 0.3, idle_seconds = 240 } }).SeeSession(s, session);
        }),
        Row("POST /focus/end", async s =>
        {
            var session = await s.NewSession();
            return Post(s, s.Ada, "/focus/end", new { session_id = session, completion_score = 0.9 }).SeeSession(s, session);
        }),
    ];

    private static CutTry Newcomer(CutScene s)
    {
        var person = Guid.NewGuid();
        return Post(s, s.Service, "/v1/focus/sessions", new { user = person }).See(
            $"/v1/users/{person}", $"/v1/personas?user={person}", $"/v1/focus/sessions?user={person}", "/v1/focus/sessions/{id}", $"/v1/people/{person}",
            CutScene.Prompt(s.LilaSlug, person));
    }

    private static CutTry Over(CutScene s, Guid session) =>
        Post(s, s.Ada, "/v1/focus/sessions", new { mode = "deep", takeover = true }).SeeSession(s, session).See("/v1/focus/sessions/{id}");

    private static async Task<CutTry> Session(CutScene s, string what, object? body = null, params (string What, object? Body)[] before)
    {
        var session = await s.NewSession(new { mode = "pomodoro" });
        foreach (var (earlier, with) in before)
        {
            await s.Do(s.Ada.Post($"/v1/focus/sessions/{session}/{earlier}", with));
        }

        return Post(s, s.Ada, $"/v1/focus/sessions/{session}/{what}", body).SeeSession(s, session);
    }

    private static CutTry SeeSession(this CutTry of, CutScene s, Guid session) => of
        .See($"/v1/focus/sessions/{session}", $"/v1/focus/sessions/{session}/events", $"/v1/focus/sessions/{session}/summary").SeeAda(s).Hear($"session:{session}");

    private static CutTry SeeAda(this CutTry of, CutScene s) => of
        .See($"/v1/focus/sessions?user={s.AdaId}", $"/v1/people/{s.AdaId}", $"/v1/people/{s.AdaId}/memories", $"/v1/people/{s.AdaId}/focus/stats")
        .Hear($"companion:{s.AdaId}");

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> People() =>
    [
        Row("PUT /v1/people/{id}/rhythm", s => Put(s, s.Ada, $"/v1/people/{s.AdaId}/rhythm", new { bodyEnergy = 0.4 }).SeeAda(s).See($"/v1/people/{s.AdaId}/rhythm")),
        Row("PUT /v1/people/{id}/rhythm - of somebody new", s =>
        {
            var person = Guid.NewGuid();
            return Put(s, s.Service, $"/v1/people/{person}/rhythm", new { bodyEnergy = 0.4 }).See($"/v1/users/{person}", $"/v1/people/{person}/rhythm", $"/v1/people/{person}");
        }),
        Row("PUT /v1/people/{id}/rhythm/curve", s => Put(s, s.Ada, $"/v1/people/{s.AdaId}/rhythm/curve", new { energy = Enumerable.Repeat(0.5, 96) }).SeeAda(s).See($"/v1/people/{s.AdaId}/rhythm")),
        Row("POST /v1/people/{id}/tasks", s => Post(s, s.Ada, $"/v1/people/{s.AdaId}/tasks", new { title = "Write" }).SeeAda(s)
            .See($"/v1/people/{s.AdaId}/tasks", $"/v1/people/{s.AdaId}/tasks/{{id}}")),
        Row("PATCH /v1/people/{id}/tasks/{taskId}", async s =>
        {
            var task = await s.Make(s.Ada, $"/v1/people/{s.AdaId}/tasks", new { title = "Write" });
            return Patch(s, s.Ada, $"/v1/people/{s.AdaId}/tasks/{task}", new { title = "Rewrite" }).SeeAda(s).See($"/v1/people/{s.AdaId}/tasks", $"/v1/people/{s.AdaId}/tasks/{task}");
        }),
        Row("DELETE /v1/people/{id}/tasks/{taskId}", async s =>
        {
            var task = await s.Make(s.Ada, $"/v1/people/{s.AdaId}/tasks", new { title = "Write" });
            return Delete(s, s.Ada, $"/v1/people/{s.AdaId}/tasks/{task}").SeeAda(s).See($"/v1/people/{s.AdaId}/tasks", $"/v1/people/{s.AdaId}/tasks/{task}");
        }),
        Row("DELETE /v1/people/{id}/memories/{memoryId}", async s =>
        {
            var memory = await s.Make(s.Ada, $"/v1/people/{s.AdaId}/memories", new { type = "note", content = new { text = "Rain." }, sentiment = -0.9 });
            return Delete(s, s.Ada, $"/v1/people/{s.AdaId}/memories/{memory}").SeeAda(s);
        }),
        Row("POST /v1/people/{id}/memories", s => Post(s, s.Ada, $"/v1/people/{s.AdaId}/memories", new { type = "note", content = new { text = "Rain." }, sentiment = 0.9 }).SeeAda(s)),
        Row("POST /v1/people/{id}/nudges/{eventId}", async s =>
        {
            await s.Do(s.Ada.Put($"/v1/people/{s.AdaId}/rhythm", new { stressLevel = 0.8, fatigueLevel = 0.8, preventiveNudges = true }));
            string? nudge = null;
            while (nudge is null)
            {
                await s.Pass(TimeSpan.FromMinutes(1));
                nudge = (string?)(await s.Do(s.Ada.Get($"/v1/people/{s.AdaId}"))).Json["lastNudge"]?["eventId"];
            }

            return Post(s, s.Ada, $"/v1/people/{s.AdaId}/nudges/{nudge}", new { answer = "helpful" }).SeeAda(s);
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Mindscapes() =>
    [
        Row("POST /v1/observations", s => Post(s, s.Ada, "/v1/observations", new { type = "work_session", content = new { duration_minutes = 60 }, clientId = "one" }).SeeMindscape(s)),
        Row("POST /v1/observations:batch", s => Post(s, s.Ada, "/v1/observations:batch", new { observations = new[] { Observation, Observation } }).SeeMindscape(s)),
        Row("DELETE /v1/observations/{id}", async s =>
        {
            var observation = await Observed(s);
            return Delete(s, s.Ada, $"/v1/observations/{observation}").SeeMindscape(s);
        }),
        Row("PUT /v1/mindscapes/{person}", s => Put(s, s.Ada, $"/v1/mindscapes/{s.AdaId}", new { traits = new { likes = "tea" } }).SeeMindscape(s)),
        Row("PUT /v1/mindscapes/{person}/learning", async s =>
        {
            await Observed(s);
            return Put(s, s.Ada, $"/v1/mindscapes/{s.AdaId}/learning", new { paused = true }).SeeMindscape(s);
        }),
        Row("POST /v1/generated-personas", async s =>
        {
            await Observed(s);
            return Post(s, s.Ada, "/v1/generated-personas", new { mapper = "daily-work-optimizer" }).SeeMindscape(s).See("/v1/generated-personas/{id}", "/v1/mappers/daily-work-optimizer");
        }),
        Row("POST /v1/feedback", async s =>
        {
            await Observed(s);
            var persona = await s.Make(s.Ada, "/v1/generated-personas", new { mapper = "daily-work-optimizer" });
            return Post(s, s.Ada, "/v1/feedback", new { personaId = persona, helpful = true, ruleId = "protect_focus_block" }).SeeMindscape(s)
                .See($"/v1/feedback?person={s.AdaId}", "/v1/mappers/daily-work-optimizer");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Narratives() =>
    [
        Row("POST /v1/narratives", s => Post(s, s.Ada, "/v1/narratives", new { text = "I like tea", traits = new { likes = "tea" }, clientId = "one" }).SeeNarratives(s)),
        Row("PUT /v1/narratives/{id}", async s =>
        {
            var narrative = await s.Make(s.Ada, "/v1/narratives", new { text = "I like tea" });
            return Put(s, s.Ada, $"/v1/narratives/{narrative}", new { text = "I like rum" }).SeeNarratives(s);
        }),
        Row("DELETE /v1/narratives/{id}", async s =>
        {
            var narrative = await s.Make(s.Ada, "/v1/narratives", new { text = "I like tea", traits = new { likes = "tea" } });
            return Delete(s, s.Ada, $"/v1/narratives/{narrative}").SeeNarratives(s);
        }),
    ];

    private static CutTry SeeNarratives(this CutTry of, CutScene s) => of.SeeMindscape(s).See($"/v1/narratives?person={s.AdaId}");

    private static readonly object Observation = new { type = "work_session", content = new { duration_minutes = 60 } };

    /// <summary>An observation that is in the traits.</summary>
    private static async Task<Guid> Observed(CutScene s)
    {
        var observation = await s.Make(s.Ada, "/v1/observations", Observation);
        await Eventually.True("it is in the traits", async () => (await s.Ada.Get($"/v1/mindscapes/{s.AdaId}")).Status == System.Net.HttpStatusCode.OK);
        // Not in the millisecond of the command that is tried, which would show as less of a change.
        await s.Do(s.Ada.Get($"/v1/mindscapes/{s.AdaId}"));
        return observation;
    }

    private static CutTry SeeMindscape(this CutTry of, CutScene s) => of
        .See($"/v1/mindscapes/{s.AdaId}", $"/v1/mindscapes/{s.AdaId}/history", $"/v1/observations?person={s.AdaId}", $"/v1/generated-personas?person={s.AdaId}")
        .Hear($"mindscape:{s.AdaId}");

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Mappers() =>
    [
        Row("POST /v1/mappers", s => Post(s, s.Service, "/v1/mappers", new { configId = "own", configuration = Mapper, status = "active" }).SeeMapper()),
        Row("POST /v1/mappers/upload", s => Post(s, s.Service, "/v1/mappers/upload?status=active", Mapper).SeeMapper()),
        Row("PUT /v1/mappers/{id}", async s =>
        {
            await s.Make(s.Service, "/v1/mappers", new { configId = "own", configuration = Mapper });
            return Put(s, s.Service, "/v1/mappers/own", new { status = "active" }).SeeMapper();
        }),
        Row("DELETE /v1/mappers/{id}", async s =>
        {
            await s.Make(s.Service, "/v1/mappers", new { configId = "own", configuration = Mapper, status = "active" });
            return Delete(s, s.Service, "/v1/mappers/own").SeeMapper();
        }),
        Row("PUT /v1/mappers/{id}/rules/{rule}/lock", async s =>
        {
            await Observed(s);
            var persona = await s.Make(s.Ada, "/v1/generated-personas", new { mapper = "daily-work-optimizer" });
            await s.Do(s.Ada.Post("/v1/feedback", new { personaId = persona, helpful = true, ruleId = "protect_focus_block" }));
            // A locked rule is told by its own answer, and by what feedback does no more.
            return Put(s, s.Service, "/v1/mappers/daily-work-optimizer/rules/protect_focus_block/lock", new { locked = true }).See("/v1/mappers/daily-work-optimizer/weights");
        }),
        Row("POST /v1/mappers/{id}/weights:publish", async s =>
        {
            await Observed(s);
            var persona = await s.Make(s.Ada, "/v1/generated-personas", new { mapper = "daily-work-optimizer" });
            await s.Do(s.Ada.Post("/v1/feedback", new { personaId = persona, helpful = true, ruleId = "protect_focus_block" }));
            return Post(s, s.Service, "/v1/mappers/daily-work-optimizer/weights:publish").See("/v1/mappers/daily-work-optimizer/versions", "/v1/mappers/daily-work-optimizer/weights");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Channels() =>
    [
        Row("POST /v1/channels/{channelId}/messages", s => Post(s, s.Service, $"/v1/channels/{s.Tag}/messages", new { role = "user", content = "Hello", user = s.AdaId, clientId = "one" }).SeeChannel(s)),
        Row("POST /v1/channels/{channelId}/messages - in a channel that is there", async s =>
        {
            await Spoken(s);
            return Post(s, s.Ada, $"/v1/channels/{s.Tag}/messages", new { role = "user", content = "Hello again" }).SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("PATCH /v1/channels/{channelId}/messages/{clientId}", async s =>
        {
            await Spoken(s);
            return Patch(s, s.Ada, $"/v1/channels/{s.Tag}/messages/one", new { content = "Good evening" }).SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("DELETE /v1/channels/{channelId}/messages/{clientId}", async s =>
        {
            await Spoken(s);
            return Delete(s, s.Ada, $"/v1/channels/{s.Tag}/messages/one").SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("DELETE /v1/channels/{channelId}/messages", async s =>
        {
            await Spoken(s);
            return Delete(s, s.Ada, $"/v1/channels/{s.Tag}/messages").SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("POST /v1/channels/{channelId}/messages:restore", async s =>
        {
            await Spoken(s);
            await s.Do(s.Ada.Delete($"/v1/channels/{s.Tag}/messages"));
            return Post(s, s.Ada, $"/v1/channels/{s.Tag}/messages:restore").SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("PUT /v1/channels/{channelId}/members/{user}", s => Put(s, s.Service, $"/v1/channels/{s.Tag}/members/{s.AdaId}").SeeChannel(s)),
        Row("DELETE /v1/channels/{channelId}/members/{user}", async s =>
        {
            await Spoken(s);
            return Delete(s, s.Service, $"/v1/channels/{s.Tag}/members/{s.AdaId}").SeeChannel(s).Hear($"channel:{s.Tag}").HearAs(s.Ada, $"channel:{s.Tag}");
        }),
        Row("PATCH /v1/channels/{channelId}/settings", async s =>
        {
            await Spoken(s);
            return Patch(s, s.Ada, $"/v1/channels/{s.Tag}/settings", new { maxMessages = 3 }).SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("PUT /v1/channels/{channelId}/active/{personality}", async s =>
        {
            await Spoken(s);
            return Put(s, s.Ada, $"/v1/channels/{s.Tag}/active/{s.LilaSlug}", new { }).SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
        Row("DELETE /v1/channels/{channelId}/active/{personality}", async s =>
        {
            await Spoken(s);
            await s.Do(s.Ada.Put($"/v1/channels/{s.Tag}/active/{s.LilaSlug}", new { }));
            return Delete(s, s.Ada, $"/v1/channels/{s.Tag}/active/{s.LilaSlug}").SeeChannel(s).Hear($"channel:{s.Tag}");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Memories() =>
    [
        Row("POST /v1/memories", s => Post(s, s.Ada, "/v1/memories", new { content = "Ada sails." }).SeeMemories(s)),
        Row("PATCH /v1/memories/{id}", async s =>
        {
            var memory = await s.Make(s.Ada, "/v1/memories", new { content = "Ada sails.", personality = s.LilaSlug });
            return Patch(s, s.Ada, $"/v1/memories/{memory}", new { content = "Ada rows." }).SeeMemories(s).See($"/v1/memories/{memory}");
        }),
        Row("DELETE /v1/memories/{id}", async s =>
        {
            var memory = await s.Make(s.Ada, "/v1/memories", new { content = "Ada sails." });
            return Delete(s, s.Ada, $"/v1/memories/{memory}").SeeMemories(s).See($"/v1/memories/{memory}");
        }),
    ];

    private static CutTry SeeMemories(this CutTry of, CutScene s) => of.See($"/v1/memories?user={s.AdaId}", $"/v1/users/{s.AdaId}").Hear($"user:{s.AdaId}");

    private static Task<ApiAnswer> Spoken(CutScene s) =>
        s.Do(s.Service.Post($"/v1/channels/{s.Tag}/messages", new { role = "user", content = "Hello", user = s.AdaId, clientId = "one" }));

    private static CutTry SeeChannel(this CutTry of, CutScene s) => of
        .See($"/v1/channels/{s.Tag}", $"/v1/channels/{s.Tag}/messages", $"/v1/channels/{s.Tag}/messages?last=10", $"/v1/channels/{s.Tag}/members", $"/v1/channels/{s.Tag}/active",
            $"/v1/personalities/{s.Lila}/prompt?user={s.AdaId}&channel={s.Tag}");

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Jobs() =>
    [
        Row("POST /v1/jobs/{id}/cancel", async s =>
        {
            var job = await s.NewJob();
            return Post(s, s.Ada, $"/v1/jobs/{job}/cancel").See($"/v1/jobs/{job}").SeeAs(s.Ada, "/v1/jobs").Hear($"job:{job}");
        }),
    ];

    private static IEnumerable<KeyValuePair<string, Func<CutScene, Task<CutTry>>>> Imports() =>
    [
        Row("POST /v1/imports/cards", s => Post(s, s.Ada, "/v1/imports/cards", $$"""{"name":"Card {{s.Tag}}","description":"d"}""")
            .SeeAs(s.Ada, "/v1/personalities/{id}", $"/v1/personalities/card-{s.Tag}/card", "/v1/personalities?search=Card")),
        Row("POST /v1/imports/card-collections", s => Post(s, s.Ada, "/v1/imports/card-collections", Zipped(("one.json", $$"""{"name":"Card {{s.Tag}}","description":"d"}""")))
            .SeeAs(s.Ada, "/v1/jobs/{id}", $"/v1/personalities/card-{s.Tag}").ByAJob()),
        Row("POST /v1/imports/shapes", s => Post(s, s.Ada, "/v1/imports/shapes", new { name = $"Shape {s.Tag}", jailbreak = "Be.", engine_model = "m" })
            .SeeAs(s.Ada, "/v1/jobs/{id}", $"/v1/personalities/shape-{s.Tag}").ByAJob()),
        Row("POST /v1/imports/legacy", s => Post(s, s.Operator, $"/v1/imports/legacy", new { from = "Nonsense=1" }, ("X-Persona-Tenant", s.Tenant.ToString())).SeeAs(s.Admin, "/v1/jobs/{id}").ByAJob()),
        Row("POST /v1/imports/personakit", s => Post(s, s.Operator, "/v1/imports/personakit", new { from = "Nonsense=1" }, ("X-Persona-Tenant", s.Tenant.ToString())).SeeAs(s.Admin, "/v1/jobs/{id}").ByAJob()),
        Row("POST /v1/imports/archive", s => Post(s, s.Operator, "/v1/imports/archive", EmptyArchive(), ("X-Persona-Tenant", s.Tenant.ToString())).SeeAs(s.Admin, "/v1/jobs/{id}").ByAJob()),
        Row("POST /v1/users/{id}/export", s => Post(s, s.Ada, $"/v1/users/{s.AdaId}/export").SeeAs(s.Ada, "/v1/jobs/{id}").ByAJob()),
    ];

    internal static byte[] Zipped(params ReadOnlySpan<(string Name, string Content)> files)
    {
        using var zipped = new MemoryStream();
        using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var entry = new StreamWriter(zip.CreateEntry(name).Open());
                entry.Write(content);
            }
        }

        return zipped.ToArray();
    }

    private static byte[] EmptyArchive()
    {
        using var archive = new ArchiveFile.Writer(new ArchiveHead(ArchiveFile.Format, Guid.Empty, DateTimeOffset.UnixEpoch.AddYears(30), Contracts.JsonText.EmptyObject));
        return archive.ToBytes();
    }

    private static readonly object Mapper = new { metadata = new { id = "own" }, rules = Array.Empty<object>() };

    private static CutTry SeeMapper(this CutTry of) => of.See("/v1/mappers", "/v1/mappers/own", "/v1/mappers/own/versions");
}
