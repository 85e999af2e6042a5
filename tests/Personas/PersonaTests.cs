using System.Text.Json.Nodes;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Personas;

public sealed class PersonaTests(Room room) : IClassFixture<Room>
{
    private readonly Node _node = room.Node;
    private readonly ApiClient _service = room.Service;

    [Fact]
    public async Task A_persona_is_made_read_changed_and_deleted()
    {
        var user = await _service.Register("ada");
        var made = (await _service.Post($"/v1/personas?user={user}", new { name = "Work", content = "I build engines.", preferredName = "Ada", pronouns = "she/her", description = "At work" }))
            .Should(HttpStatusCode.Created);
        Assert.Equal($"/v1/personas/{made.Id}", made.Headers.Location!.ToString());
        Assert.Equal(user, Guid.Parse((string)made.Json["ownerId"]!));
        Assert.Equal(1, (long)made.Json["version"]!);

        var read = (await _service.Get($"/v1/personas/{made.Id}")).Should(HttpStatusCode.OK);
        Assert.Equal("I build engines.", (string?)read.Json["content"]);
        Assert.Equal(0, (long)read.Json["cursor"]!["seq"]!);

        var changed = (await _service.Patch($"/v1/personas/{made.Id}", new { content = "I write programs." }, ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.OK);
        Assert.Equal("I write programs.", (string?)changed.Json["content"]);
        Assert.Equal("Work", (string?)changed.Json["name"]);
        Assert.Equal(2, (long)changed.Json["version"]!);

        (await _service.Delete($"/v1/personas/{made.Id}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/personas/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Get($"/v1/personas/{made.Id}", ("X-Persona-User", user.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Delete($"/v1/personas/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Patch($"/v1/personas/{made.Id}", new { content = "?" })).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
    }

    [Theory]
    [InlineData("description", "d", null)]
    [InlineData("content", "c", "")]
    [InlineData("preferredName", "p", null)]
    [InlineData("pronouns", "they", null)]
    public async Task A_field_that_is_absent_keeps_and_one_that_is_null_is_cleared(string field, string value, string? cleared)
    {
        var persona = await Make(await _service.Register("ada"), "other");
        var set = (await _service.Patch($"/v1/personas/{persona}", new JsonObject { [field] = value }.ToJsonString())).Should(HttpStatusCode.OK);
        Assert.Equal(value, (string?)set.Json[field]);
        var kept = (await _service.Patch($"/v1/personas/{persona}", new { name = "another" })).Should(HttpStatusCode.OK);
        Assert.Equal(value, (string?)kept.Json[field]);
        var gone = (await _service.Patch($"/v1/personas/{persona}", new JsonObject { [field] = null }.ToJsonString())).Should(HttpStatusCode.OK);
        Assert.Equal(cleared, (string?)gone.Json[field]);
        Assert.Equal("another", (string?)gone.Json["name"]);
    }

    [Theory]
    [InlineData("name", 255)]
    [InlineData("content", 4000)]
    [InlineData("preferredName", 255)]
    [InlineData("pronouns", 100)]
    [InlineData("description", 500)]
    public async Task Every_text_has_a_limit_and_reaches_it(string field, int limit)
    {
        var persona = await Make(await _service.Register("ada"), "other");
        (await _service.Patch($"/v1/personas/{persona}", new JsonObject { [field] = new string('x', limit) }.ToJsonString())).Should(HttpStatusCode.OK);
        var refused = (await _service.Patch($"/v1/personas/{persona}", new JsonObject { [field] = new string('x', limit + 1) }.ToJsonString()))
            .ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)refused.Json["field"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("12345678901234567")]
    [InlineData("12345678901234567890")]
    public async Task A_name_is_what_people_call_you(string? name)
    {
        var user = await _service.Register("ada");
        Assert.Equal("name", (string?)(await _service.Post($"/v1/personas?user={user}", new { name })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field").Json["field"]);
        var persona = await Make(user, "other");
        (await _service.Patch($"/v1/personas/{persona}", new { name })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task A_name_is_unique_for_its_owner_without_regard_to_case_and_only_for_its_owner()
    {
        var ada = await _service.Register("ada");
        await Make(ada, "Work");
        (await _service.Post($"/v1/personas?user={ada}", new { name = "WORK" })).ShouldRefuse(HttpStatusCode.Conflict, "persona_name_taken");
        var other = await Make(ada, "Home");
        (await _service.Patch($"/v1/personas/{other}", new { name = "work" })).ShouldRefuse(HttpStatusCode.Conflict, "persona_name_taken");
        Assert.Equal("Home", (string?)(await _service.Get($"/v1/personas/{other}")).Json["name"]);
        (await _service.Patch($"/v1/personas/{other}", new { name = "HOME" })).Should(HttpStatusCode.OK);
        await Make(await _service.Register("bob"), "Work");
    }

    [Fact]
    public async Task Of_twenty_personas_of_one_name_made_at_once_one_is_made()
    {
        var user = await _service.Register("ada");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _service.Post($"/v1/personas?user={user}", new { name = i % 2 == 0 ? "Twin" : "tWIN" })));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.ShouldRefuse(HttpStatusCode.Conflict, "persona_name_taken"));
        Assert.Equal(2, (await _service.Get($"/v1/personas?user={user}")).Json["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Of_two_personas_renamed_to_one_name_at_once_one_gets_it()
    {
        var user = await _service.Register("ada");
        var personas = new[] { await Make(user, "one"), await Make(user, "two") };
        var answers = await Task.WhenAll(personas.Select(persona => _service.Patch($"/v1/personas/{persona}", new { name = "same" })));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task The_default_persona_stays_until_another_is_the_default()
    {
        var user = await _service.Register("ada");
        var first = Guid.Parse((string)(await _service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!);
        (await _service.Delete($"/v1/personas/{first}")).ShouldRefuse(HttpStatusCode.Conflict, "default_persona");
        var second = await Make(user, "second");
        var set = (await _service.Put($"/v1/users/{user}/default-persona", new { personaId = second })).Should(HttpStatusCode.OK);
        Assert.Equal(second.ToString(), (string?)set.Json["defaultPersonaId"]);
        (await _service.Put($"/v1/users/{user}/default-persona", new { personaId = second })).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/personas/{first}")).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/personas/{second}")).ShouldRefuse(HttpStatusCode.Conflict, "default_persona");
    }

    [Fact]
    public async Task Nobody_elses_persona_becomes_a_default()
    {
        var ada = await _service.Register("ada");
        var bobs = await Make(await _service.Register("bob"), "Bob at work");
        (await _service.Put($"/v1/users/{ada}/default-persona", new { personaId = bobs })).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Put($"/v1/users/{ada}/default-persona", new { personaId = Guid.NewGuid() })).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Put($"/v1/users/{ada}/default-persona", new { })).Should(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Making_a_persona_the_default_while_it_is_deleted_leaves_exactly_one_default()
    {
        for (var round = 0; round < 10; round++)
        {
            var user = await _service.Register("ada");
            var persona = await Make(user, "contested");
            var deleting = _service.Delete($"/v1/personas/{persona}");
            var setting = _service.Put($"/v1/users/{user}/default-persona", new { personaId = persona });
            var (deleted, set) = (await deleting, await setting);
            Assert.NotEqual(deleted.Status == HttpStatusCode.NoContent, set.Status == HttpStatusCode.OK);
            var holds = Guid.Parse((string)(await _service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!);
            (await _service.Get($"/v1/personas/{holds}")).Should(HttpStatusCode.OK);
            Assert.Equal(set.Status == HttpStatusCode.OK, holds == persona);
        }
    }

    [Fact]
    public async Task A_deletion_among_changes_is_final_and_every_change_after_it_finds_nothing()
    {
        for (var round = 0; round < 5; round++)
        {
            var user = await _service.Register("ada");
            var persona = await Make(user, "contested");
            var changes = Enumerable.Range(0, 20).Select(i => _service.Patch($"/v1/personas/{persona}", new { content = $"text {i}" })).ToList();
            (await _service.Delete($"/v1/personas/{persona}")).Should(HttpStatusCode.NoContent);
            (await _service.Get($"/v1/personas/{persona}", ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.NotFound);
            foreach (var change in await Task.WhenAll(changes))
            {
                Assert.True(change.Status is HttpStatusCode.OK or HttpStatusCode.NotFound, change.Text);
            }

            (await _service.Get($"/v1/personas/{persona}", ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.NotFound);
            (await _service.Patch($"/v1/personas/{persona}", new { content = "late" }, ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_persona_deleted_past_its_grains_memory_is_changed_by_nobody()
    {
        var user = await _service.Register("ada");
        var persona = await Make(user, "other");
        (await _service.Get($"/v1/personas/{persona}")).Should(HttpStatusCode.OK);
        // As another node's activation of the owner would.
        await Sql.Run(room.Database.Superuser, $"DELETE FROM personas WHERE id = '{persona}'");
        (await _service.Patch($"/v1/personas/{persona}", new { content = "late" }, ("X-Persona-User", user.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
    }

    [Fact]
    public async Task Personas_go_with_their_user_also_from_memory()
    {
        var user = await _service.Register("ada");
        var persona = await Make(user, "other");
        (await _service.Get($"/v1/personas/{persona}")).Should(HttpStatusCode.OK);
        (await _service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);
        (await _service.Get($"/v1/personas/{persona}", ("X-Persona-User", user.ToString()))).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Post($"/v1/personas?user={user}", new { name = "late" })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
    }

    [Fact]
    public async Task Changes_and_deletions_of_another_version_are_refused()
    {
        var persona = await Make(await _service.Register("ada"), "other");
        (await _service.Patch($"/v1/personas/{persona}", new { content = "a" }, ("If-Match", "1"))).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/personas/{persona}", new { content = "b" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Patch($"/v1/personas/{persona}", new { content = "c" }, ("If-Match", "*"))).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/personas/{Guid.NewGuid()}", new { content = "c" }, ("If-Match", "*"))).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await _service.Delete($"/v1/personas/{persona}", ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await _service.Delete($"/v1/personas/{persona}", ("If-Match", "3"))).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Repeats_return_the_first_answer_of_each_command()
    {
        var user = await _service.Register("ada");
        var first = (await _service.Post($"/v1/personas?user={user}", new { name = "other" }, ("Idempotency-Key", "make"))).Should(HttpStatusCode.Created);
        Assert.Equal(first.Text, (await _service.Post($"/v1/personas?user={user}", new { name = "other" }, ("Idempotency-Key", "make"))).Should(HttpStatusCode.Created).Text);
        var changed = (await _service.Patch($"/v1/personas/{first.Id}", new { content = "a" }, ("Idempotency-Key", "change"))).Should(HttpStatusCode.OK);
        (await _service.Patch($"/v1/personas/{first.Id}", new { content = "b" })).Should(HttpStatusCode.OK);
        Assert.Equal(changed.Text, (await _service.Patch($"/v1/personas/{first.Id}", new { content = "a" }, ("Idempotency-Key", "change"))).Text);
        (await _service.Delete($"/v1/personas/{first.Id}", ("Idempotency-Key", "end"))).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/personas/{first.Id}", ("Idempotency-Key", "end"))).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_change_of_nothing_is_no_version_and_no_event()
    {
        var persona = await Make(await _service.Register("ada"), "other");
        var same = (await _service.Patch($"/v1/personas/{persona}", new { name = "other" })).Should(HttpStatusCode.OK);
        Assert.Equal(1, (long)same.Json["version"]!);
        Assert.Equal(0, (long)(await _service.Get($"/v1/personas/{persona}")).Json["cursor"]!["seq"]!);
    }

    [Fact]
    public async Task State_plus_later_events_is_the_state_later()
    {
        var user = await _service.Register("ada");
        var userBefore = (await _service.Get($"/v1/users/{user}")).Json;
        var persona = await Make(user, "other");
        var before = (await _service.Get($"/v1/personas/{persona}")).Json;
        await _service.Patch($"/v1/personas/{persona}", new { content = "a", pronouns = "they" });
        await _service.Patch($"/v1/personas/{persona}", new { pronouns = (string?)null, description = "d" });
        var after = (await _service.Get($"/v1/personas/{persona}")).Json;
        Assert.Equal(["persona.updated", "persona.updated"], await Replay.ShouldGive(_node, StreamName.Persona(persona), before, after));

        var unused = await Make(user, "unused");
        await _service.Put($"/v1/users/{user}/default-persona", new { personaId = persona });
        await _service.Delete($"/v1/personas/{unused}");
        Assert.Equal(
            ["persona.created", "persona.created", "user.updated", "persona.deleted"],
            await Replay.ShouldGive(_node, StreamName.User(user), userBefore, (await _service.Get($"/v1/users/{user}")).Json));
    }

    [Fact]
    public async Task A_list_is_paged_in_the_order_of_its_ids()
    {
        var user = await _service.Register("ada");
        for (var i = 0; i < 4; i++)
        {
            await Make(user, $"persona {i}");
        }

        var items = await _service.Pages($"/v1/personas?user={user}", 2);
        Assert.Equal(["ada", "persona 0", "persona 1", "persona 2", "persona 3"], items.Select(item => (string)item["name"]!).Order());
    }

    [Fact]
    public async Task Somebody_elses_persona_is_not_found_and_not_changed()
    {
        var ada = await _service.Register("ada");
        var bob = await _service.Register("bob");
        var adas = await Make(ada, "Work");
        using var asBob = _node.Client(await _node.UserKey(bob));
        (await asBob.Get($"/v1/personas/{adas}")).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await asBob.Patch($"/v1/personas/{adas}", new { content = "mine" })).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await asBob.Delete($"/v1/personas/{adas}")).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        (await asBob.Get($"/v1/personas?user={ada}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await asBob.Post($"/v1/personas?user={ada}", new { name = "planted" })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await asBob.Put($"/v1/users/{ada}/default-persona", new { personaId = adas })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        var own = (await asBob.Post("/v1/personas", new { name = "Bob at home" })).Should(HttpStatusCode.Created);
        (await asBob.Get($"/v1/personas/{own.Id}")).Should(HttpStatusCode.OK);
        Assert.Equal("", (string?)(await _service.Get($"/v1/personas/{adas}")).Json["content"]);
    }

    [Fact]
    public async Task A_field_that_nobody_knows_is_refused_with_its_name()
    {
        var user = await _service.Register("ada");
        var refused = (await _service.Post($"/v1/personas?user={user}", new { name = "x", colour = "red" })).ShouldRefuse(HttpStatusCode.BadRequest, "unknown_field");
        Assert.Equal("colour", (string?)refused.Json["field"]);
    }

    private async Task<Guid> Make(Guid user, string name) =>
        (await _service.Post($"/v1/personas?user={user}", new { name })).Should(HttpStatusCode.Created).Id;
}
