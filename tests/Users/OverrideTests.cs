using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Users;

public sealed class OverrideTests(Room room) : IClassFixture<Room>
{
    private readonly Node _node = room.Node;
    private readonly ApiClient _service = room.Service;

    [Fact]
    public async Task An_override_is_put_read_changed_and_removed()
    {
        var (user, personality) = await Make();
        var persona = await Persona(user, "work");
        var config = await Config(user, "mine");
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).ShouldRefuse(HttpStatusCode.NotFound, "override_not_found");
        var put = (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona, llmConfigId = config })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(persona.ToString(), (string?)put["personaId"]);
        Assert.Equal(config.ToString(), (string?)put["llmConfigId"]);
        var read = (await _service.Get($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal((long)put["version"]!, (long)read["version"]!);
        var without = (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = config })).Should(HttpStatusCode.OK).Json;
        Assert.Null(without["personaId"]);
        (await _service.Delete($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/users/{user}/overrides/{personality}")).ShouldRefuse(HttpStatusCode.NotFound, "override_not_found");
        Assert.Equal(0L, await Rows(user));
    }

    [Fact]
    public async Task A_personality_is_named_by_its_slug_too()
    {
        var (user, personality) = await Make();
        var slug = (string)(await _service.Get($"/v1/personalities/{personality}", ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.OK).Json["slug"]!;
        (await _service.Put($"/v1/users/{user}/overrides/{slug}", new { personaId = await Persona(user, "work") })).Should(HttpStatusCode.OK);
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/overrides/nobody-here", new { })).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
    }

    [Fact]
    public async Task An_override_whose_slots_are_all_empty_is_removed()
    {
        var (user, personality) = await Make();
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { })).Should(HttpStatusCode.OK);
        Assert.Equal(0L, await Rows(user));
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = await Persona(user, "work") })).Should(HttpStatusCode.OK);
        Assert.Equal(1L, await Rows(user));
        var emptied = (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = (Guid?)null })).Should(HttpStatusCode.OK).Json;
        Assert.Null(emptied["personaId"]);
        Assert.Equal(0L, await Rows(user));
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).ShouldRefuse(HttpStatusCode.NotFound, "override_not_found");

        (await _service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxMessages = 5 })).Should(HttpStatusCode.OK);
        Assert.Equal(1L, await Rows(user));
        (await _service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxMessages = (int?)null })).Should(HttpStatusCode.OK);
        Assert.Equal(0L, await Rows(user));
    }

    [Fact]
    public async Task Overrides_that_use_a_deleted_persona_fall_back_and_keep_the_rest()
    {
        var (user, personality) = await Make();
        var other = await Personality(user);
        var persona = await Persona(user, "work");
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/overrides/{other}", new { personaId = persona })).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/users/{user}/overrides/{other}/settings", new { maxAge = "off" })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/personas/{persona}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).ShouldRefuse(HttpStatusCode.NotFound, "override_not_found");
        var kept = (await _service.Get($"/v1/users/{user}/overrides/{other}")).Should(HttpStatusCode.OK).Json;
        Assert.Null(kept["personaId"]);
        Assert.Equal("off", (string?)kept["settings"]!["maxAge"]);
        Assert.Equal(1L, await Rows(user));
    }

    [Fact]
    public async Task A_row_that_a_deletion_elsewhere_emptied_is_removed_by_the_table()
    {
        var (user, personality) = await Make();
        var global = (await _service.Post("/v1/llm-configs", new { name = $"g {Guid.NewGuid()}", model = "m" })).Should(HttpStatusCode.Created).Id;
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = global })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = global })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/llm-configs/{global}")).Should(HttpStatusCode.NoContent);
        Assert.Equal(0L, await Rows(user));
        // What the grain still remembers of it hinders nothing.
        (await _service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxMessages = 7 })).Should(HttpStatusCode.OK);
        var now = (await _service.Get($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.OK).Json;
        Assert.Null(now["llmConfigId"]);
        Assert.Equal(7, (int)now["settings"]!["maxMessages"]!);
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = global })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        Assert.Null((await _service.Get($"/v1/users/{user}")).Json["defaultLlmConfigId"]);
    }

    [Fact]
    public async Task What_was_deleted_elsewhere_hinders_no_deletion_of_what_an_override_used_beside_it()
    {
        var (user, personality) = await Make();
        var global = (await _service.Post("/v1/llm-configs", new { name = $"g {Guid.NewGuid()}", model = "m" })).Should(HttpStatusCode.Created).Id;
        var persona = await Persona(user, "work");
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona, llmConfigId = global })).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = global })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/llm-configs/{global}")).Should(HttpStatusCode.NoContent);
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = global })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await _service.Delete($"/v1/personas/{persona}")).Should(HttpStatusCode.NoContent);
        Assert.Equal(0L, await Rows(user));

        var bob = ("X-Persona-User", (await _service.Register("bob")).ToString());
        var bobs = (await _service.Post("/v1/personalities", new { name = $"Iris {Guid.NewGuid():N}"[..20], characterInfo = "i", personalityTraits = "t", isPublic = true }, bob)).Should(HttpStatusCode.Created).Id;
        var (other, config) = (await Persona(user, "home"), await Config(user, "own"));
        (await _service.Put($"/v1/users/{user}/overrides/{bobs}", new { personaId = other, llmConfigId = config })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/personalities/{bobs}", bob)).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/llm-configs/{config}", ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/personas/{other}")).Should(HttpStatusCode.NoContent);
        Assert.Equal(0L, await Rows(user));
    }

    [Fact]
    public async Task What_is_somebody_elses_is_not_found_for_an_override()
    {
        var (user, personality) = await Make();
        var bob = await _service.Register("bob");
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = await Persona(bob, "bobs") })).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { llmConfigId = await Config(bob, "bobs") })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = await Config(bob, "bobs too") })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        var bobs = await Personality(bob);
        (await _service.Put($"/v1/users/{user}/overrides/{bobs}", new { })).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await _service.Patch($"/v1/users/{user}/overrides/{bobs}/settings", new { maxMessages = 1 })).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        using var asBob = _node.Client(await _node.UserKey(bob));
        (await asBob.Get($"/v1/users/{user}/overrides")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await asBob.Put($"/v1/users/{user}/overrides/{personality}", new { })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await asBob.Patch($"/v1/users/{user}/settings", new { maxMessages = 1 })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
    }

    [Theory]
    [InlineData("maxMessages", "5")]
    [InlineData("maxMessages", "\"off\"")]
    [InlineData("maxAge", "3600")]
    [InlineData("maxAge", "\"off\"")]
    [InlineData("memoryLimit", "0")]
    [InlineData("memoryScoreThreshold", "0.5")]
    [InlineData("focusOverlay", "false")]
    [InlineData("mindscapeOverlay", "true")]
    public async Task A_setting_that_is_absent_keeps_and_one_that_is_null_is_cleared(string field, string value)
    {
        var (user, personality) = await Make();
        foreach (var path in new[] { $"/v1/users/{user}/settings", $"/v1/users/{user}/overrides/{personality}/settings" })
        {
            var other = field == "maxAge" ? "memoryLimit" : "maxAge";
            var set = (await _service.Patch(path, $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
            Assert.Equal(value, set.Json["settings"]![field]!.ToJsonString());
            var kept = (await _service.Patch(path, $$"""{"{{other}}":9}""")).Should(HttpStatusCode.OK);
            Assert.Equal(value, kept.Json["settings"]![field]!.ToJsonString());
            var gone = (await _service.Patch(path, $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
            Assert.Equal($$"""{"{{other}}":9}""", gone.Json["settings"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task A_setting_that_nobody_knows_or_that_cannot_be_is_refused_with_its_name()
    {
        var (user, personality) = await Make();
        foreach (var path in new[] { $"/v1/users/{user}/settings", $"/v1/users/{user}/overrides/{personality}/settings" })
        {
            Assert.Equal("colour", (string?)(await _service.Patch(path, new { colour = 1 })).ShouldRefuse(HttpStatusCode.BadRequest, "unknown_field").Json["field"]);
            Assert.Equal("maxMessages", (string?)(await _service.Patch(path, new { maxMessages = 0 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field").Json["field"]);
            Assert.Equal("maxMessages", (string?)(await _service.Patch(path, new { maxMessages = 101 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field").Json["field"]);
        }
    }

    [Fact]
    public async Task What_was_written_is_what_a_restarted_node_reads()
    {
        await using var database = await TestDatabase.Create();
        var node = await Node.Start(database);
        var service = node.Client(await node.ServiceKey());
        var user = await service.Register("ada");
        var personality = await Personality(user, service);
        var persona = await Persona(user, "work", service);
        var config = await Config(user, "mine", service);
        var assistant = (await service.Post($"/v1/user-personas?user={user}", new { name = "a", systemPrompt = "p", traits = new[] { "t" }, style = new { z = 1, a = 2.50 } }))
            .Should(HttpStatusCode.Created).Id;
        (await service.Post($"/v1/user-personas/{assistant}/usage?user={user}", new { tokens = 1 })).Should(HttpStatusCode.Created);
        (await service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona, llmConfigId = config })).Should(HttpStatusCode.OK);
        (await service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxAge = "off", memoryScoreThreshold = 0 })).Should(HttpStatusCode.OK);
        (await service.Patch($"/v1/users/{user}/settings", new { maxMessages = "off", focusOverlay = true })).Should(HttpStatusCode.OK);
        (await service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        (await service.Put($"/v1/users/{user}/default-persona", new { personaId = persona })).Should(HttpStatusCode.OK);
        string[] paths =
        [
            $"/v1/users/{user}", $"/v1/users/{user}/overrides/{personality}", $"/v1/users/{user}/overrides", $"/v1/llm-configs/{config}",
            $"/v1/personas/{persona}", $"/v1/user-personas/{assistant}",
        ];
        var before = await Task.WhenAll(paths.Select(path => service.Get(path)));
        service.Dispose();
        await node.DisposeAsync();

        await using var restarted = await Node.Start(database);
        using var again = restarted.Client(await restarted.ServiceKey());
        var after = await Task.WhenAll(paths.Select(path => again.Get(path)));
        Assert.All(after, answer => answer.Should(HttpStatusCode.OK));
        Assert.Equal(before.Select(answer => answer.Text), after.Select(answer => answer.Text));
    }

    [Fact]
    public async Task Changes_of_another_version_are_refused()
    {
        var (user, personality) = await Make();
        var persona = await Persona(user, "work");
        var first = (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona }, ("If-Match", "0"))).Should(HttpStatusCode.OK);
        var version = (string)first.Json["version"]!.ToJsonString();
        (await _service.Patch($"/v1/users/{user}", new { username = "renamed" })).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/users/{user}/overrides/{personality}/settings", new { maxMessages = 2 }, ("If-Match", version))).Should(HttpStatusCode.OK);
        (await _service.Put($"/v1/users/{user}/overrides/{personality}", new { }, ("If-Match", version))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/users/{user}/overrides/{personality}", ("If-Match", version))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
    }

    [Fact]
    public async Task Repeats_return_the_first_answer()
    {
        var (user, personality) = await Make();
        var persona = await Persona(user, "work");
        var body = new { personaId = persona };
        var first = (await _service.Put($"/v1/users/{user}/overrides/{personality}", body, ("Idempotency-Key", "put"))).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/users/{user}/overrides/{personality}", ("Idempotency-Key", "end"))).Should(HttpStatusCode.NoContent);
        Assert.Equal(first.Text, (await _service.Put($"/v1/users/{user}/overrides/{personality}", body, ("Idempotency-Key", "put"))).Text);
        (await _service.Delete($"/v1/users/{user}/overrides/{personality}", ("Idempotency-Key", "end"))).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_persona_deleted_while_overrides_take_it_is_used_by_none()
    {
        for (var round = 0; round < 5; round++)
        {
            var (user, personality) = await Make();
            var persona = await Persona(user, "contested");
            var putting = _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona });
            var deleting = _service.Delete($"/v1/personas/{persona}");
            (await deleting).Should(HttpStatusCode.NoContent);
            Assert.True((await putting).Status is HttpStatusCode.OK or HttpStatusCode.NotFound);
            Assert.Equal(0L, await Rows(user));
            (await _service.Get($"/v1/users/{user}/overrides/{personality}")).Should(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_list_is_paged()
    {
        var user = await _service.Register("ada");
        var personalities = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            personalities.Add(await Personality(user));
            await _service.Patch($"/v1/users/{user}/overrides/{personalities[i]}/settings", new { maxMessages = i + 1 });
        }

        var first = (await _service.Get($"/v1/users/{user}/overrides?limit=2")).Should(HttpStatusCode.OK).Json;
        var second = (await _service.Get($"/v1/users/{user}/overrides?limit=2&after={first["next"]}")).Should(HttpStatusCode.OK).Json;
        Assert.Null(second["next"]);
        Assert.Equal(
            personalities.Order().Select(id => id.ToString()),
            first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(item => (string)item!["personalityId"]!).Order());
    }

    [Fact]
    public async Task State_plus_later_events_is_the_state_later()
    {
        var (user, personality) = await Make();
        var persona = await Persona(user, "work");
        var before = (await _service.Get($"/v1/users/{user}")).Json;
        await _service.Patch($"/v1/users/{user}/settings", new { maxMessages = 5, maxAge = "off" });
        await _service.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona });
        await _service.Patch($"/v1/users/{user}/settings", new { maxMessages = (int?)null });
        var config = await Config(user, "mine");
        await _service.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = config });
        await _service.Delete($"/v1/users/{user}/overrides/{personality}");
        await _service.Delete($"/v1/llm-configs/{config}");
        var after = (await _service.Get($"/v1/users/{user}")).Json;
        Assert.Equal(
            ["user.updated", "override.changed", "user.updated", "llm-config.created", "user.updated", "override.removed", "llm-config.deleted"],
            await Replay.ShouldGive(_node, StreamName.User(user), before, after));
        Assert.Null(after["defaultLlmConfigId"]);
    }

    private async Task<(Guid User, Guid Personality)> Make()
    {
        var user = await _service.Register("ada");
        return (user, await Personality(user));
    }

    private async Task<Guid> Personality(Guid owner, ApiClient? client = null) =>
        (await (client ?? _service).Post("/v1/personalities", new { name = $"Iris {Guid.NewGuid():N}"[..20], characterInfo = "i", personalityTraits = "t" }, ("X-Persona-User", owner.ToString())))
            .Should(HttpStatusCode.Created).Id;

    private async Task<Guid> Persona(Guid user, string name, ApiClient? client = null) =>
        (await (client ?? _service).Post($"/v1/personas?user={user}", new { name })).Should(HttpStatusCode.Created).Id;

    private async Task<Guid> Config(Guid user, string name, ApiClient? client = null) =>
        (await (client ?? _service).Post("/v1/llm-configs", new { name, model = "m" }, ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.Created).Id;

    private Task<long> Rows(Guid user) => Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM user_personality_configs WHERE user_id = '{user}'");
}
