namespace PersonaActors.Tests.Catalogues;

public sealed class SystemPromptTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task A_made_prompt_is_read_listed_and_told_of()
    {
        var before = await room.Admin.Get("/v1/catalogue");
        var made = (await room.Admin.Post("/v1/system-prompts", new { name = "Plain", description = "d", content = "Be plain." })).Should(HttpStatusCode.Created);
        Assert.EndsWith($"/v1/system-prompts/{made.Id}", made.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, (long)made.Json["version"]!);
        var read = (await room.Admin.Get($"/v1/system-prompts/{made.Id}")).Should(HttpStatusCode.OK);
        Assert.Equal("Be plain.", (string?)read.Json["content"]);
        var person = await room.NewPerson();
        var list = (await person.Client.Get("/v1/system-prompts?limit=200")).Should(HttpStatusCode.OK);
        Assert.Contains(list.Json["items"]!.AsArray(), item => (string?)item!["id"] == made.Id.ToString());
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
    }

    [Fact]
    public async Task An_absent_field_is_kept_and_null_clears_it()
    {
        var made = await room.Admin.Post("/v1/system-prompts", new { name = "A", description = "d", content = "c", isDefault = true });
        var path = $"/v1/system-prompts/{made.Id}";
        var kept = (await room.Admin.Patch(path, new { name = "B" })).Should(HttpStatusCode.OK);
        Assert.Equal(("B", "d", "c", true), ((string)kept.Json["name"]!, (string?)kept.Json["description"], (string)kept.Json["content"]!, (bool)kept.Json["isDefault"]!));
        var cleared = (await room.Admin.Patch(path, "{\"description\":null,\"isDefault\":null}")).Should(HttpStatusCode.OK);
        Assert.Null(cleared.Json["description"]);
        Assert.False((bool)cleared.Json["isDefault"]!);
        (await room.Admin.Patch(path, "{\"name\":null}")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await room.Admin.Patch(path, "{\"content\":null}")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await room.Admin.Patch(path, new { colour = "red" })).ShouldRefuse(HttpStatusCode.BadRequest, "unknown_field");
        Assert.Equal(3, (long)(await room.Admin.Get(path)).Json["version"]!);
    }

    [Fact]
    public async Task A_new_default_unsets_the_old_one_with_events_for_both()
    {
        var first = await room.Admin.Post("/v1/system-prompts", new { name = "first", content = "1", isDefault = true });
        var before = await room.Admin.Get("/v1/catalogue");
        var second = await room.Admin.Post("/v1/system-prompts", new { name = "second", content = "2", isDefault = true });
        Assert.False((bool)(await room.Admin.Get($"/v1/system-prompts/{first.Id}")).Json["isDefault"]!);
        var events = await room.Events(room.CatalogueStream, (long)before.Json["cursor"]!["seq"]!);
        Assert.Equal(["system-prompt.updated", "system-prompt.created"], events.Select(e => e.Type));
        Assert.False((bool)events[0].Data["changes"]!["systemPrompts"]![first.Id.ToString()]!["isDefault"]!);
        await room.Admin.Patch($"/v1/system-prompts/{first.Id}", new { isDefault = true });
        Assert.False((bool)(await room.Admin.Get($"/v1/system-prompts/{second.Id}")).Json["isDefault"]!);
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
    }

    [Fact]
    public async Task Twenty_defaults_at_once_leave_one()
    {
        var (_, admin) = await room.NewTenant();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => admin.Post("/v1/system-prompts", new { name = $"p{i}", content = "c", isDefault = true })));
        Assert.All(answers, answer => answer.Should(HttpStatusCode.Created));
        var list = (await admin.Get("/v1/system-prompts?limit=200")).Json["items"]!.AsArray();
        Assert.Equal(20, list.Count);
        Assert.Single(list, item => (bool)item!["isDefault"]!);
    }

    [Fact]
    public async Task If_Match_makes_a_change_conditional()
    {
        var made = await room.Admin.Post("/v1/system-prompts", new { name = "A", content = "c" });
        var path = $"/v1/system-prompts/{made.Id}";
        (await room.Admin.Patch(path, new { name = "B" }, ("If-Match", "\"1\""))).Should(HttpStatusCode.OK);
        (await room.Admin.Patch(path, new { name = "C" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await room.Admin.Delete(path, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await room.Admin.Delete(path, ("If-Match", "2"))).Should(HttpStatusCode.NoContent);
        (await room.Admin.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
    }

    [Fact]
    public async Task A_repeated_command_answers_as_the_first_time_and_is_done_once()
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = (await room.Admin.Post("/v1/system-prompts", new { name = "once", content = "c" }, key)).Should(HttpStatusCode.Created);
        var again = (await room.Admin.Post("/v1/system-prompts", new { name = "once", content = "c" }, key)).Should(HttpStatusCode.Created);
        Assert.Equal(first.Text, again.Text);
        (await room.Admin.Post("/v1/system-prompts", new { name = "twice", content = "c" }, key)).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
        var deleting = ("Idempotency-Key", Guid.NewGuid().ToString());
        (await room.Admin.Delete($"/v1/system-prompts/{first.Id}", deleting)).Should(HttpStatusCode.NoContent);
        (await room.Admin.Delete($"/v1/system-prompts/{first.Id}", deleting)).Should(HttpStatusCode.NoContent);
        (await room.Admin.Delete($"/v1/system-prompts/{first.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
    }

    [Fact]
    public async Task Users_read_the_catalogue_and_do_not_write_it()
    {
        var person = await room.NewPerson();
        var made = await room.Service.Post("/v1/system-prompts", new { name = "A", content = "c" });
        made.Should(HttpStatusCode.Created);
        (await person.Client.Get($"/v1/system-prompts/{made.Id}")).Should(HttpStatusCode.OK);
        (await person.Client.Post("/v1/system-prompts", new { name = "A", content = "c" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await person.Client.Patch($"/v1/system-prompts/{made.Id}", new { name = "B" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await person.Client.Delete($"/v1/system-prompts/{made.Id}")).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await room.Service.Delete($"/v1/system-prompts/{made.Id}", ("X-Persona-User", person.Id.ToString()))).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
    }

    [Fact]
    public async Task Another_tenant_finds_nothing()
    {
        var made = await room.Admin.Post("/v1/system-prompts", new { name = "ours", content = "c" });
        var (_, other) = await room.NewTenant();
        (await other.Get($"/v1/system-prompts/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
        (await other.Patch($"/v1/system-prompts/{made.Id}", new { name = "B" })).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
        (await other.Delete($"/v1/system-prompts/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "system_prompt_not_found");
        Assert.Empty((await other.Get("/v1/system-prompts")).Json["items"]!.AsArray());
        (await room.Operator.Post("/v1/system-prompts", new { name = "x", content = "c" }, ("X-Persona-Tenant", Guid.NewGuid().ToString())))
            .ShouldRefuse(HttpStatusCode.NotFound, "tenant_not_found");
    }

    [Theory]
    [InlineData("name", 255)]
    [InlineData("description", 500)]
    [InlineData("content", 65536)]
    public async Task Every_text_has_a_limit(string field, int max)
    {
        var made = await room.Admin.Post("/v1/system-prompts", new { name = "limits", content = "c" });
        var path = $"/v1/system-prompts/{made.Id}";
        (await room.Admin.Patch(path, new Dictionary<string, string> { [field] = new('x', max) })).Should(HttpStatusCode.OK);
        var refused = await room.Admin.Patch(path, new Dictionary<string, string> { [field] = new('x', max + 1) });
        Assert.Equal(field, (string?)refused.ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field").Json["field"]);
        (await room.Admin.Delete(path)).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Lists_come_in_pages()
    {
        var (_, admin) = await room.NewTenant();
        for (var i = 0; i < 5; i++)
        {
            await admin.Post("/v1/system-prompts", new { name = $"p{i}", content = "c" });
        }

        var items = await admin.Pages("/v1/system-prompts", 2);
        Assert.Equal(["p0", "p1", "p2", "p3", "p4"], items.Select(item => (string)item["name"]!).Order());
        (await admin.Get("/v1/system-prompts?limit=201")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await admin.Get("/v1/system-prompts?after=x")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }
}
