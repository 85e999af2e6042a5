namespace PersonaActors.Tests.Users;

public sealed class OwnedLlmConfigTests(Room room) : IClassFixture<Room>
{
    private readonly Node _node = room.Node;
    private readonly ApiClient _service = room.Service;

    [Fact]
    public async Task A_user_makes_reads_changes_and_deletes_its_own()
    {
        var user = await _service.Register("ada");
        using var asAda = _node.Client(await _node.UserKey(user));
        var made = (await asAda.Post("/v1/llm-configs", new { name = "Mine", model = "m", temperature = 0.5, stop = new[] { "\n" }, logitBias = new { z = 1, a = -2 } }))
            .Should(HttpStatusCode.Created);
        Assert.Equal(user, Guid.Parse((string)made.Json["ownerId"]!));
        Assert.False((bool)made.Json["isGlobal"]!);
        var changed = (await asAda.Patch($"/v1/llm-configs/{made.Id}", new { temperature = 0.7 })).Should(HttpStatusCode.OK);
        Assert.Equal(0.7, (double)changed.Json["temperature"]!);
        Assert.Equal(2, (long)changed.Json["version"]!);
        var read = (await _service.Get($"/v1/llm-configs/{made.Id}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal("""{"z":1,"a":-2}""", read["logitBias"]!.ToJsonString());
        Assert.Contains((await asAda.Get("/v1/llm-configs")).Json["items"]!.AsArray(), item => (string?)item!["id"] == made.Id.ToString());
        (await _service.Delete($"/v1/llm-configs/{made.Id}")).Should(HttpStatusCode.NoContent);
        (await asAda.Get($"/v1/llm-configs/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
    }

    [Theory]
    [InlineData("description", "\"d\"")]
    [InlineData("model", "\"m2\"")]
    [InlineData("visionModel", "\"v\"")]
    [InlineData("provider", "\"p\"")]
    [InlineData("temperature", "0.5")]
    [InlineData("topP", "0.5")]
    [InlineData("minP", "0.5")]
    [InlineData("topA", "0.5")]
    [InlineData("topK", "5")]
    [InlineData("frequencyPenalty", "-1.5")]
    [InlineData("presencePenalty", "1.5")]
    [InlineData("repetitionPenalty", "1.5")]
    [InlineData("maxTokens", "5")]
    [InlineData("contextWindowTokens", "5000")]
    [InlineData("stop", """["a","b"]""")]
    [InlineData("seed", "5")]
    [InlineData("logitBias", """{"b":1,"a":2}""")]
    [InlineData("responseFormat", """{"type":"json_object"}""")]
    [InlineData("reasoning", "\"high\"")]
    [InlineData("memoryScoreThreshold", "0")]
    [InlineData("memoryLimit", "0")]
    public async Task A_field_that_is_absent_keeps_and_one_that_is_null_is_cleared(string field, string value)
    {
        var user = await _service.Register("ada");
        var config = await Make(user, "mine");
        var set = (await _service.Patch($"/v1/llm-configs/{config}", $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        Assert.Equal(value, set.Json[field]!.ToJsonString());
        var kept = (await _service.Patch($"/v1/llm-configs/{config}", new { name = "renamed" })).Should(HttpStatusCode.OK);
        Assert.Equal(value, kept.Json[field]!.ToJsonString());
        var gone = (await _service.Patch($"/v1/llm-configs/{config}", $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.Null(gone.Json[field]);
    }

    [Fact]
    public async Task A_user_has_at_most_a_hundred()
    {
        var user = await _service.Register("ada");
        var first = await Make(user, "0");
        for (var i = 1; i < 100; i++)
        {
            await Make(user, $"{i}");
        }

        Task<ApiAnswer> Another() => _service.Post("/v1/llm-configs", new { name = "another", model = "m" }, ("X-Persona-User", user.ToString()));
        (await Another()).ShouldRefuse(HttpStatusCode.Conflict, "too_many_llm_configs");
        (await _service.Delete($"/v1/llm-configs/{first}")).Should(HttpStatusCode.NoContent);
        (await Another()).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_name_is_unique_for_its_owner_and_may_be_that_of_a_global_one()
    {
        var user = await _service.Register("ada");
        var name = $"n {Guid.NewGuid():N}";
        (await _service.Post("/v1/llm-configs", new { name, model = "m" })).Should(HttpStatusCode.Created);
        await Make(user, name);
        (await _service.Post("/v1/llm-configs", new { name = name.ToUpperInvariant() }, As(user))).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_exists");
        var other = await Make(user, "other");
        (await _service.Patch($"/v1/llm-configs/{other}", new { name })).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_exists");
        await Make(await _service.Register("bob"), name);
    }

    [Fact]
    public async Task None_of_a_users_own_is_the_tenants_default()
    {
        var user = await _service.Register("ada");
        (await _service.Post("/v1/llm-configs", new { name = "x", isDefault = true }, As(user))).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        var config = await Make(user, "mine");
        (await _service.Patch($"/v1/llm-configs/{config}", new { isFreeDefault = true })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task Somebody_elses_is_not_found_and_a_global_one_not_a_users_to_change()
    {
        var adas = await Make(await _service.Register("ada"), "mine");
        var global = (await _service.Post("/v1/llm-configs", new { name = $"g {Guid.NewGuid()}", model = "m" })).Should(HttpStatusCode.Created).Id;
        using var asBob = _node.Client(await _node.UserKey(await _service.Register("bob")));
        (await asBob.Get($"/v1/llm-configs/{adas}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await asBob.Patch($"/v1/llm-configs/{adas}", new { model = "b" })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await asBob.Delete($"/v1/llm-configs/{adas}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await asBob.Get($"/v1/llm-configs/{global}")).Should(HttpStatusCode.OK);
        (await asBob.Patch($"/v1/llm-configs/{global}", new { model = "b" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await asBob.Delete($"/v1/llm-configs/{global}")).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
    }

    [Fact]
    public async Task Deleting_one_makes_overrides_and_the_default_fall_back()
    {
        var user = await _service.Register("ada");
        var config = await Make(user, "mine");
        var personality = await Personality(user);
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/llm-configs/{config}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).ShouldRefuse(HttpStatusCode.NotFound, "override_not_found");
        Assert.Null((await _service.Get($"/v1/users/{user}")).Json["defaultLlmConfigId"]);
        Assert.Equal(0L, await Sql.Ask<long>(room.Database.Superuser,
            $"SELECT (SELECT count(*) FROM user_personality_configs WHERE user_id = '{user}') + (SELECT count(*) FROM user_default_llm_configs WHERE user_id = '{user}')"));
    }

    [Fact]
    public async Task One_that_a_personality_has_as_its_default_stays_and_says_by_whom_it_is_used()
    {
        var user = await _service.Register("ada");
        var config = await Make(user, "mine");
        var personality = await Personality(user);
        var slug = (string)(await _service.Put($"/v1/personalities/{personality}/default-llm-config", new { llmConfigId = config }, As(user))).Should(HttpStatusCode.OK).Json["slug"]!;
        var refused = (await _service.Delete($"/v1/llm-configs/{config}")).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_in_use");
        Assert.Equal(slug, (string?)refused.Json["usedBy"]![0]);
        (await _service.Get($"/v1/llm-configs/{config}")).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/personalities/{personality}/default-llm-config", As(user))).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/llm-configs/{config}")).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Changes_of_another_version_are_refused_and_repeats_answered_once()
    {
        var user = await _service.Register("ada");
        var first = (await _service.Post("/v1/llm-configs", new { name = "a" }, As(user), ("Idempotency-Key", "m"))).Should(HttpStatusCode.Created);
        Assert.Equal(first.Text, (await _service.Post("/v1/llm-configs", new { name = "a" }, As(user), ("Idempotency-Key", "m"))).Text);
        (await _service.Patch($"/v1/llm-configs/{first.Id}", new { model = "a" }, ("If-Match", "1"))).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/llm-configs/{first.Id}", new { model = "b" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/llm-configs/{first.Id}", ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/llm-configs/{first.Id}", ("Idempotency-Key", "d"))).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/llm-configs/{first.Id}", ("Idempotency-Key", "d"))).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_global_one_that_becomes_owned_stops_resolving_for_others_at_once()
    {
        var (ada, bob) = (await _service.Register("ada"), await _service.Register("bob"));
        var global = (await _service.Post("/v1/llm-configs", new { name = $"g {Guid.NewGuid()}", model = "given" })).Should(HttpStatusCode.Created).Id;
        var prompts = new Dictionary<Guid, string>();
        foreach (var user in new[] { ada, bob })
        {
            (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = global })).Should(HttpStatusCode.OK);
            prompts[user] = $"/v1/personalities/{await Personality(user)}/prompt?user={user}";
            Assert.Equal("given", (string?)(await _service.Get(prompts[user])).Should(HttpStatusCode.OK).Json["llm"]!["model"]);
        }

        (await _service.Patch($"/v1/llm-configs/{global}", new { ownerId = Guid.NewGuid() })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        using var asBob = _node.Client(await _node.UserKey(bob));
        (await asBob.Patch($"/v1/llm-configs/{global}", new { ownerId = bob })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        var given = (await _service.Patch($"/v1/llm-configs/{global}", new { ownerId = ada })).Should(HttpStatusCode.OK).Json;
        Assert.False((bool)given["isGlobal"]!);

        Assert.NotEqual("given", (string?)(await _service.Get(prompts[bob])).Should(HttpStatusCode.OK).Json["llm"]?["model"]);
        Assert.Equal("given", (string?)(await _service.Get(prompts[ada])).Should(HttpStatusCode.OK).Json["llm"]!["model"]);
        (await asBob.Get($"/v1/llm-configs/{global}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await _service.Patch($"/v1/llm-configs/{global}", new { model = "changed" })).Should(HttpStatusCode.OK);
        Assert.Equal("changed", (string?)(await _service.Get(prompts[ada])).Json["llm"]!["model"]);
        (await _service.Patch($"/v1/llm-configs/{global}", new { ownerId = bob })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task Prompts_follow_overrides_and_what_is_deleted_from_under_them()
    {
        var user = await _service.Register("ada");
        var personality = await Personality(user);
        var path = $"/v1/personalities/{personality}/prompt?user={user}";
        var config = await Make(user, "mine");
        var persona = (await _service.Post("/v1/personas", new { name = "work", preferredName = "Lady Lovelace" }, As(user))).Should(HttpStatusCode.Created).Id;
        Assert.DoesNotContain("Lovelace", (await _service.Get(path)).Should(HttpStatusCode.OK).Text);
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona, llmConfigId = config })).Should(HttpStatusCode.OK);
        var overridden = (await _service.Get(path)).Should(HttpStatusCode.OK);
        Assert.Contains("Lady Lovelace", overridden.Text);
        Assert.Equal("m", (string?)overridden.Json["llm"]!["model"]);
        (await _service.Patch($"/v1/users/{user}/settings", new { maxMessages = 7 })).Should(HttpStatusCode.OK);
        Assert.Equal(7, (int)(await _service.Get(path)).Json["settings"]!["maxMessages"]!);
        (await _service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxMessages = 8 })).Should(HttpStatusCode.OK);
        Assert.Equal(8, (int)(await _service.Get(path)).Json["settings"]!["maxMessages"]!);
        (await _service.Patch($"/v1/personas/{persona}", new { preferredName = "Countess" }, As(user))).Should(HttpStatusCode.OK);
        Assert.Contains("Countess", (await _service.Get(path)).Text);
        (await _service.Delete($"/v1/personas/{persona}")).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/llm-configs/{config}")).Should(HttpStatusCode.NoContent);
        var fallen = (await _service.Get(path)).Should(HttpStatusCode.OK);
        Assert.DoesNotContain("Countess", fallen.Text);
        Assert.NotEqual("m", (string?)fallen.Json["llm"]?["model"]);
    }

    [Fact]
    public async Task They_go_with_their_user()
    {
        var user = await _service.Register("ada");
        var config = await Make(user, "mine");
        var personality = await Personality(user);
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/personalities/{personality}/default-llm-config", new { llmConfigId = config }, As(user))).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/llm-configs/{config}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
    }

    private async Task<Guid> Make(Guid user, string name) => (await _service.Post("/v1/llm-configs", new { name, model = "m" }, As(user))).Should(HttpStatusCode.Created).Id;

    private async Task<Guid> Personality(Guid owner) =>
        (await _service.Post("/v1/personalities", new { name = $"Iris {Guid.NewGuid():N}"[..20], characterInfo = "i", personalityTraits = "t" }, As(owner))).Should(HttpStatusCode.Created).Id;

    private static (string, string) As(Guid user) => ("X-Persona-User", user.ToString());
}
