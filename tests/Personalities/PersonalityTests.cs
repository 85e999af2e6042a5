using System.Text.Json.Nodes;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Personalities;

public sealed class PersonalityTests(Room room) : IClassFixture<Room>
{
    private static string NewSlug() => $"p{Guid.NewGuid():N}"[..20];

    private static object Draft(string slug, bool isPublic = false, bool definitionPublic = false) => new
    {
        name = "Lilith",
        slug,
        characterInfo = "An old friend.",
        personalityTraits = "calm",
        isPublic,
        definitionPublic,
    };

    private async Task<(Person Owner, string Path, Guid Id)> NewPersonality(bool isPublic = false, bool definitionPublic = false)
    {
        var owner = await room.NewPerson("owner");
        var slug = NewSlug();
        var made = (await owner.Client.Post("/v1/personalities", Draft(slug, isPublic, definitionPublic))).Should(HttpStatusCode.Created);
        return (owner, $"/v1/personalities/{slug}", made.Id);
    }

    [Fact]
    public async Task A_made_personality_is_its_makers_and_has_its_defaults()
    {
        var owner = await room.NewPerson();
        var slug = NewSlug();
        var made = (await owner.Client.Post("/v1/personalities", new { name = "Lilith", slug, characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
        Assert.Equal($"/v1/personalities/{slug}", made.Headers.Location!.ToString());
        var read = (await owner.Client.Get($"/v1/personalities/{slug}")).Should(HttpStatusCode.OK).Json;
        Assert.Equal("Lilith", (string?)read["displayName"]);
        Assert.Equal(20, (int)read["contextWindowSize"]!);
        Assert.False((bool)read["isPublic"]!);
        Assert.True((bool)read["memoryEnabled"]!);
        Assert.Equal(owner.Id.ToString(), (string?)read["owners"]![0]!["userId"]);
        Assert.Equal("owner", (string?)read["owners"]![0]!["role"]);
        Assert.Equal(made.Id, (await owner.Client.Get($"/v1/personalities/{made.Id}")).Id);
    }

    [Fact]
    public async Task A_slug_not_named_is_made_of_the_name()
    {
        var owner = await room.NewPerson();
        var name = $"Ünder The {Guid.NewGuid():N} !";
        var made = (await owner.Client.Post("/v1/personalities", new { name, characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
        Assert.StartsWith("nder-the-", (string)made.Json["slug"]!, StringComparison.Ordinal);
        (await owner.Client.Post("/v1/personalities", new { name = "!!", characterInfo = "", personalityTraits = "" })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    public static TheoryData<string, string> Fields => new()
    {
        { "avatarUrl", "\"https://example.org/a.png\"" }, { "tone", "\"t\"" }, { "age", "\"a\"" }, { "appearance", "\"a\"" }, { "likes", "\"l\"" },
        { "dislikes", "\"d\"" }, { "conversationalGoals", "\"g\"" }, { "conversationalExamples", "\"e\"" }, { "errorMessage", "\"e\"" },
        { "customFields", """{"a":{"b":[1,2.50,"x"]},"ä":"\n"}""" }, { "voiceSettings", """{"v":1}""" }, { "imageSettings", """{"i":true}""" },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task An_optional_field_is_set_kept_and_cleared(string field, string value)
    {
        var (owner, path, id) = await NewPersonality();
        var before = await owner.Client.Get(path);
        Assert.Null(before.Json[field]);
        (await owner.Client.Patch(path, $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        var set = await owner.Client.Get(path);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), set.Json[field]), set.Text);
        (await owner.Client.Patch(path, new { name = "other" })).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), (await owner.Client.Get(path)).Json[field]));
        Room.AssertSame((await owner.Client.Get(path)).Json, await room.Followed(before, StreamName.Personality(id)));
        (await owner.Client.Patch(path, $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.Null((await owner.Client.Get(path)).Json[field]);
        Room.AssertSame((await owner.Client.Get(path)).Json, await room.Followed(set, StreamName.Personality(id)));
    }

    [Theory]
    [InlineData("displayName", "\"D\"", "\"Lilith\"")]
    [InlineData("tags", """["one","two"]""", "[]")]
    [InlineData("voiceEnabled", "true", "false")]
    [InlineData("imageEnabled", "true", "false")]
    [InlineData("memoryEnabled", "false", "true")]
    [InlineData("contextWindowSize", "50", "20")]
    [InlineData("isPublic", "true", "false")]
    [InlineData("definitionPublic", "true", "false")]
    public async Task A_cleared_field_goes_back_to_its_default(string field, string value, string standard)
    {
        var (owner, path, _) = await NewPersonality();
        (await owner.Client.Patch(path, $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        (await owner.Client.Patch(path, new { tone = "t" })).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), (await owner.Client.Get(path)).Json[field]));
        (await owner.Client.Patch(path, $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(standard), (await owner.Client.Get(path)).Json[field]));
    }

    [Theory]
    [InlineData("name", "null")]
    [InlineData("slug", "null")]
    [InlineData("slug", "\"Admin\"")]
    [InlineData("slug", "\"ab\"")]
    [InlineData("slug", "\"admin\"")]
    [InlineData("characterInfo", "null")]
    [InlineData("personalityTraits", "null")]
    [InlineData("contextWindowSize", "0")]
    [InlineData("contextWindowSize", "101")]
    [InlineData("tags", """["a"]""")]
    [InlineData("avatarUrl", "\"javascript:alert(1)\"")]
    [InlineData("customFields", "[1]")]
    [InlineData("customFields", """{"a":1,"a":2}""")]
    [InlineData("customFields", """{"a":[{"b":1,"b":1}]}""")]
    [InlineData("slug", "\"abcdefabcdefabcdefabcdefabcdefab\"")]
    [InlineData("slug", "\"deadbeef-dead-beef-dead-beefdeadbeef\"")]
    public async Task What_breaks_a_rule_is_refused_with_its_field(string field, string value)
    {
        var (owner, path, _) = await NewPersonality();
        var refused = (await owner.Client.Patch(path, $$"""{"{{field}}":{{value}}}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.StartsWith(field, (string)refused.Json["field"]!, StringComparison.Ordinal);
        Assert.Equal(1, (long)(await owner.Client.Get(path)).Json["version"]!);
    }

    [Fact]
    public async Task Free_json_is_counted_in_the_characters_that_were_written()
    {
        var (owner, path, _) = await NewPersonality();
        var long60 = new string('я', 60_000);
        (await owner.Client.Patch(path, new { customFields = new { story = long60 } })).Should(HttpStatusCode.OK);
        Assert.Equal(long60, (string)(await owner.Client.Get(path)).Json["customFields"]!["story"]!);
        (await owner.Client.Patch(path, new { customFields = new { story = new string('я', 70_000) } })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Theory]
    [InlineData("name", 255)]
    [InlineData("displayName", 255)]
    [InlineData("characterInfo", 65536)]
    [InlineData("conversationalExamples", 65536)]
    [InlineData("personalityTraits", 4000)]
    [InlineData("tone", 4000)]
    [InlineData("age", 4000)]
    [InlineData("appearance", 4000)]
    [InlineData("likes", 4000)]
    [InlineData("dislikes", 4000)]
    [InlineData("conversationalGoals", 4000)]
    [InlineData("errorMessage", 1000)]
    public async Task Every_text_has_a_limit(string field, int max)
    {
        var (owner, path, _) = await NewPersonality();
        (await owner.Client.Patch(path, new Dictionary<string, string> { [field] = new('x', max) })).Should(HttpStatusCode.OK);
        var refused = (await owner.Client.Patch(path, new Dictionary<string, string> { [field] = new('x', max + 1) })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)refused.Json["field"]);
    }

    [Fact]
    public async Task Of_twenty_that_want_a_slug_at_once_one_gets_it()
    {
        var owner = await room.NewPerson();
        var slug = NewSlug();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => owner.Client.Post("/v1/personalities", Draft(slug))));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.ShouldRefuse(HttpStatusCode.Conflict, "slug_taken"));
    }

    [Fact]
    public async Task A_renamed_slug_is_followed_at_once_and_a_freed_one_means_its_new_personality()
    {
        var (owner, path, id) = await NewPersonality();
        (await owner.Client.Get(path)).Should(HttpStatusCode.OK);
        var other = NewSlug();
        (await owner.Client.Patch(path, new { slug = other })).Should(HttpStatusCode.OK);
        (await owner.Client.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        Assert.Equal(id, (await owner.Client.Get($"/v1/personalities/{other}")).Id);
        var heir = (await owner.Client.Post("/v1/personalities", Draft(path["/v1/personalities/".Length..]))).Should(HttpStatusCode.Created);
        Assert.Equal(heir.Id, (await owner.Client.Get(path)).Id);
        (await owner.Client.Delete(path)).Should(HttpStatusCode.NoContent);
        (await owner.Client.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
    }

    [Fact]
    public async Task If_Match_makes_a_change_conditional_and_a_repeat_answers_as_the_first_time()
    {
        var (owner, path, _) = await NewPersonality();
        (await owner.Client.Patch(path, new { tone = "a" }, ("If-Match", "1"))).Should(HttpStatusCode.OK);
        (await owner.Client.Patch(path, new { tone = "b" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = (await owner.Client.Post("/v1/personalities", Draft("once-" + NewSlug()), key)).Should(HttpStatusCode.Created);
        var again = (await owner.Client.Post("/v1/personalities", Draft((string)first.Json["slug"]!), key)).Should(HttpStatusCode.Created);
        Assert.Equal(first.Text, again.Text);
        var deleting = ("Idempotency-Key", Guid.NewGuid().ToString());
        (await owner.Client.Delete(path, deleting)).Should(HttpStatusCode.NoContent);
        (await owner.Client.Delete(path, deleting)).Should(HttpStatusCode.NoContent);
        (await owner.Client.Delete(path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
    }

    [Fact]
    public async Task Settings_are_a_tier_of_their_own()
    {
        var (owner, path, id) = await NewPersonality();
        var before = await owner.Client.Get(path);
        (await owner.Client.Patch($"{path}/settings", """{"maxMessages":10,"maxAge":"off","focusOverlay":true}""")).Should(HttpStatusCode.OK);
        var cleared = (await owner.Client.Patch($"{path}/settings", """{"maxMessages":null}""")).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"maxAge":"off","focusOverlay":true}"""), cleared.Json["settings"]), cleared.Text);
        Room.AssertSame((await owner.Client.Get(path)).Json, await room.Followed(before, StreamName.Personality(id)));
        (await owner.Client.Patch($"{path}/settings", """{"maxMessages":101}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        var unknown = (await owner.Client.Patch($"{path}/settings", """{"maxColour":1}""")).ShouldRefuse(HttpStatusCode.BadRequest, "unknown_field");
        Assert.Equal("maxColour", (string?)unknown.Json["field"]);
    }

    [Fact]
    public async Task A_default_config_is_global_or_ones_own_and_cannot_go_while_it_is_one()
    {
        var (owner, path, id) = await NewPersonality();
        var before = await owner.Client.Get(path);
        var config = (await room.Admin.Post("/v1/llm-configs", new { name = $"c {Guid.NewGuid()}", model = "m" })).Should(HttpStatusCode.Created);
        var set = (await owner.Client.Put($"{path}/default-llm-config", new { llmConfigId = config.Id })).Should(HttpStatusCode.OK);
        Assert.Equal(config.Id.ToString(), (string?)set.Json["defaultLlmConfigId"]);
        var refused = (await room.Admin.Delete($"/v1/llm-configs/{config.Id}")).ShouldRefuse(HttpStatusCode.Conflict, "llm_config_in_use");
        Assert.Equal(path, $"/v1/personalities/{refused.Json["usedBy"]![0]}");
        (await owner.Client.Put($"{path}/default-llm-config", new { llmConfigId = Guid.NewGuid() })).ShouldRefuse(HttpStatusCode.NotFound, "llm_config_not_found");
        (await owner.Client.Delete($"{path}/default-llm-config")).Should(HttpStatusCode.OK);
        (await room.Admin.Delete($"/v1/llm-configs/{config.Id}")).Should(HttpStatusCode.NoContent);
        Room.AssertSame((await owner.Client.Get(path)).Json, await room.Followed(before, StreamName.Personality(id)));
    }

    [Fact]
    public async Task A_deleted_system_prompt_is_forgotten_by_who_used_it()
    {
        var (owner, path, _) = await NewPersonality();
        var prompt = (await room.Admin.Post("/v1/system-prompts", new { name = "s", content = "c" })).Should(HttpStatusCode.Created);
        (await owner.Client.Patch(path, new { systemPromptId = prompt.Id })).Should(HttpStatusCode.OK);
        (await owner.Client.Patch(path, new { systemPromptId = Guid.NewGuid() })).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
        (await room.Admin.Delete($"/v1/system-prompts/{prompt.Id}")).Should(HttpStatusCode.NoContent);
        var changed = (await owner.Client.Patch(path, new { tone = "t" })).Should(HttpStatusCode.OK);
        Assert.Null(changed.Json["systemPromptId"]);
    }
}
