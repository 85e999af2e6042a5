using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Catalogues;

public sealed class LlmConfigTests(Room room) : IClassFixture<Room>
{
    private static string NewName() => $"config {Guid.NewGuid():N}";

    private async Task<ApiAnswer> New(object? more = null)
    {
        var made = (await room.Admin.Post("/v1/llm-configs", new { name = NewName(), model = "m" })).Should(HttpStatusCode.Created);
        return more is null ? made : (await room.Admin.Patch($"/v1/llm-configs/{made.Id}", more)).Should(HttpStatusCode.OK);
    }

    public static TheoryData<string, string> Parameters => new()
    {
        { "description", "\"d\"" }, { "model", "\"a/b\"" }, { "visionModel", "\"v\"" }, { "provider", "\"p\"" }, { "temperature", "0.7" }, { "topP", "0.9" },
        { "minP", "0.05" }, { "topA", "1" }, { "topK", "0" }, { "frequencyPenalty", "-2" }, { "presencePenalty", "1.5" }, { "repetitionPenalty", "1.1" },
        { "maxTokens", "1" }, { "contextWindowTokens", "1000" }, { "stop", """["\n","END"]""" }, { "seed", "9007199254740991" },
        { "logitBias", """{"50256":-100,"7":12.5}""" }, { "responseFormat", """{"type":"json_object"}""" }, { "reasoning", "\"minimal\"" },
        { "memoryScoreThreshold", "0" }, { "memoryLimit", "0" },
    };

    [Theory]
    [MemberData(nameof(Parameters))]
    public async Task A_parameter_is_set_kept_and_cleared_and_the_events_tell_it(string field, string value)
    {
        var made = await New();
        var path = $"/v1/llm-configs/{made.Id}";
        var before = await room.Admin.Get("/v1/catalogue");
        (await room.Admin.Patch(path, $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        (await room.Admin.Patch(path, new { name = NewName() })).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), (await room.Admin.Get(path)).Json[field]), (await room.Admin.Get(path)).Text);
        var list = (await room.Admin.Get("/v1/llm-configs?limit=200")).Json["items"]!.AsArray();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), list.Single(item => (string?)item!["id"] == made.Id.ToString())![field]));
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
        (await room.Admin.Patch(path, $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.Null((await room.Admin.Get(path)).Json[field]);
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
    }

    [Theory]
    [InlineData("name", "null")]
    [InlineData("name", "\" \"")]
    [InlineData("temperature", "2.1")]
    [InlineData("temperature", "-0.1")]
    [InlineData("topP", "1.1")]
    [InlineData("minP", "-1")]
    [InlineData("topA", "2")]
    [InlineData("topK", "-1")]
    [InlineData("frequencyPenalty", "2.5")]
    [InlineData("presencePenalty", "-2.5")]
    [InlineData("repetitionPenalty", "-0.1")]
    [InlineData("maxTokens", "0")]
    [InlineData("contextWindowTokens", "999")]
    [InlineData("stop", "[\"\"]")]
    [InlineData("logitBias", "{\"1\":101}")]
    [InlineData("responseFormat", "[]")]
    [InlineData("reasoning", "\"wild\"")]
    [InlineData("memoryScoreThreshold", "1.01")]
    [InlineData("memoryLimit", "-1")]
    public async Task What_is_out_of_range_is_refused_with_its_field(string field, string value)
    {
        var made = await New();
        var refused = (await room.Admin.Patch($"/v1/llm-configs/{made.Id}", $$"""{"{{field}}":{{value}}}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.StartsWith(field, (string)refused.Json["field"]!, StringComparison.Ordinal);
        Assert.Equal(1, (long)(await room.Admin.Get($"/v1/llm-configs/{made.Id}")).Json["version"]!);
    }

    [Fact]
    public async Task Names_are_unique_among_globals_without_regard_to_case()
    {
        var name = NewName();
        (await room.Admin.Post("/v1/llm-configs", new { name })).Should(HttpStatusCode.Created);
        (await room.Admin.Post("/v1/llm-configs", new { name = name.ToUpperInvariant() })).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_exists");
        var other = await New();
        (await room.Admin.Patch($"/v1/llm-configs/{other.Id}", new { name })).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_exists");
        var (_, admin) = await room.NewTenant();
        (await admin.Post("/v1/llm-configs", new { name })).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Twenty_defaults_of_both_kinds_at_once_leave_one_of_each()
    {
        var (_, admin) = await room.NewTenant();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => admin.Post("/v1/llm-configs", new { name = $"c{i}", isDefault = true, isFreeDefault = true })));
        Assert.All(answers, answer => answer.Should(HttpStatusCode.Created));
        var list = (await admin.Get("/v1/llm-configs?limit=200")).Json["items"]!.AsArray();
        Assert.Single(list, item => (bool)item!["isDefault"]!);
        Assert.Single(list, item => (bool)item!["isFreeDefault"]!);
    }

    [Fact]
    public async Task A_config_may_be_both_defaults_and_lose_them_to_two_others()
    {
        var (tenant, admin) = await room.NewTenant();
        var both = await admin.Post("/v1/llm-configs", new { name = "both", isDefault = true, isFreeDefault = true });
        var before = await admin.Get("/v1/catalogue");
        await admin.Post("/v1/llm-configs", new { name = "free", isFreeDefault = true });
        var read = (await admin.Get($"/v1/llm-configs/{both.Id}")).Json;
        Assert.True((bool)read["isDefault"]!);
        Assert.False((bool)read["isFreeDefault"]!);
        await admin.Post("/v1/llm-configs", new { name = "usual", isDefault = true });
        Assert.False((bool)(await admin.Get($"/v1/llm-configs/{both.Id}")).Json["isDefault"]!);
        var types = (await room.Events($"catalogue:{tenant}", (long)before.Json["cursor"]!["seq"]!, tenant)).Select(e => e.Type);
        Assert.Equal(["llm-config.updated", "llm-config.created", "llm-config.updated", "llm-config.created"], types);
    }

    [Fact]
    public async Task Only_who_acts_for_the_tenant_changes_a_global_config()
    {
        var person = await room.NewPerson();
        var made = await New();
        (await person.Client.Get($"/v1/llm-configs/{made.Id}")).Should(HttpStatusCode.OK);
        (await person.Client.Patch($"/v1/llm-configs/{made.Id}", new { name = "mine" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await person.Client.Delete($"/v1/llm-configs/{made.Id}")).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        var (_, other) = await room.NewTenant();
        (await other.Patch($"/v1/llm-configs/{made.Id}", new { name = "ours" })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await room.Admin.Patch($"/v1/llm-configs/{made.Id}", new { name = "x" }, ("If-Match", "7"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await room.Admin.Delete($"/v1/llm-configs/{made.Id}")).Should(HttpStatusCode.NoContent);
        (await room.Admin.Get($"/v1/llm-configs/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
    }

    [Fact]
    public async Task What_the_table_holds_is_what_was_answered()
    {
        var made = await New(new { temperature = 0.1, stop = new[] { "a" }, logitBias = new { a = 1 }, reasoning = "high", isDefault = true });
        var before = (await room.Admin.Get($"/v1/llm-configs/{made.Id}")).Json;
        var store = new PersonaActors.Storage.Catalogue.LlmConfigStore(room.Node.Database);
        var loaded = (await store.LoadGlobal(room.Tenant)).Single(config => config.Id == made.Id);
        before.Remove("cursor");
        Assert.True(JsonNode.DeepEquals(before, System.Text.Json.JsonSerializer.SerializeToNode(loaded, Contracts.Wire.Json)));
    }
}
